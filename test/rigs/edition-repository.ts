import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Published, publishEdition, type PublishOrder, writeStick } from '#central/publisher/index.ts';
import type { EditionRecord } from '#contracts/edition.ts';
import { ok, type Result } from '#contracts/result.ts';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { makeRoot, openTrust, refreshTrust, type Trusted } from '#formats/trust/index.ts';
import { valueOf } from './bureau.ts';

/** A document and what is recorded of it. */
export interface TestRecord extends EditionRecord {
  readonly number: string;
}

const day = 86_400_000;

export function recordOf(number: string, more: Partial<EditionRecord> = {}): TestRecord {
  return {
    number,
    documentType: 'passport',
    kindOfLoss: 'stolen',
    reportedOn: '2026-11-24',
    reportedBy: 'UTO',
    ...more,
  };
}

export function keyOf(number: string): SearchKey {
  const key = searchKey('UTO', number);
  if (key === undefined) throw new TypeError(`${number} is no number`);
  return key;
}

/** A bureau's repository of editions with keys of its own, made by the real publisher. */
export class TestRepository {
  readonly folder: string;
  readonly keys = {
    root: generateKeyPairSync('ed25519'),
    targets: generateKeyPairSync('ed25519'),
    snapshot: generateKeyPairSync('ed25519'),
    timestamp: generateKeyPairSync('ed25519'),
  };
  secret: NamedSecret = { id: '1', key: createSecretKey(Buffer.alloc(32, 7)) };
  readonly root: Buffer;
  now: WallTime;

  constructor(folder: string, now = wall(Date.parse('2026-11-25T06:00:00Z'))) {
    this.folder = folder;
    this.now = now;
    const { root, targets, snapshot, timestamp } = this.keys;
    this.root = valueOf(
      makeRoot(
        {
          version: 1,
          expires: wall(now + 3650 * day),
          keys: {
            root: [root.publicKey],
            targets: [targets.publicKey],
            snapshot: [snapshot.publicKey],
            timestamp: [timestamp.publicKey],
          },
          thresholds: { root: 1, targets: 1, snapshot: 1, timestamp: 1 },
        },
        [{ key: root.privateKey }],
      ),
    );
  }

  /** What publishes these records now, in this folder or in a copy of it. */
  order(records: Iterable<TestRecord>, more: Partial<PublishOrder> = {}): PublishOrder {
    return {
      repository: this.folder,
      root: this.root,
      keys: {
        targets: this.keys.targets.privateKey,
        snapshot: this.keys.snapshot.privateKey,
        timestamp: this.keys.timestamp.privateKey,
      },
      fingerprint: this.secret,
      date: this.now,
      fill: (sink) => {
        for (const { number, ...record } of records) sink(keyOf(number), record);
        return Promise.resolve(ok(undefined));
      },
      newBase: false,
      fewer: true,
      say: () => {},
      ...more,
    };
  }

  /** Publishes these records as the next edition, a day after the one before. */
  async publish(
    records: Iterable<TestRecord>,
    { newBase = false, later = day }: { readonly newBase?: boolean; readonly later?: number } = {},
  ): Promise<Published> {
    this.now = wall(this.now + later);
    return valueOf(await publishEdition(this.order(records, { newBase }), this.now));
  }

  /** What a terminal believes that looks into this folder now; without `trusted` one that was only just enrolled. */
  async refresh({
    trusted = valueOf(openTrust({ root: this.root })),
    folder = this.folder,
  }: { readonly trusted?: Trusted; readonly folder?: string } = {}): Promise<Result<Trusted>> {
    const fetchFile = (path: string) =>
      Promise.resolve(ok(existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined));
    const refreshed = await refreshTrust(trusted, fetchFile, this.now, () => Promise.resolve(ok(undefined)));
    return refreshed.ok ? ok(refreshed.value.trusted) : refreshed;
  }

  async stick(out: string): Promise<void> {
    valueOf(await writeStick(this.folder, out, () => {}));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
