import { createHash, type KeyObject } from 'node:crypto';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { publicKeyHex, type Signer, signRole } from './models.ts';
import { date, keyId, publicKeyJson, readRole, type RoleName } from './roles.ts';
import { checkSigned } from './rules.ts';

/**
 * The publisher's end: the four files, signed. Versions start at 1 and grow with each publishing; expiries are cut to
 * whole seconds. The files go where consistent snapshots want them (§ 6.2): `metadata/N.root.json`,
 * `metadata/N.targets.json`, `metadata/N.snapshot.json`, and last of all `metadata/timestamp.json`, which makes them
 * current. After a new root a new timestamp must follow: terminals look for roots when the timestamp has changed.
 */
const specVersion = '1.0.31';

const common = <R extends RoleName>(role: R, plan: { version: number; expires: WallTime }) => ({
  _type: role,
  spec_version: specVersion,
  version: plan.version,
  expires: date(plan.expires),
});

const listed = ({ version, file }: ListedFile) => ({
  version,
  length: file.length,
  hashes: { sha256: createHash('sha256').update(file).digest('hex') },
});

/** A file that another one lists: its version and its exact bytes. */
export interface ListedFile {
  readonly version: number;
  readonly file: Buffer;
}

export interface RootPlan {
  readonly version: number;
  readonly expires: WallTime;
  /** Public Ed25519 keys that are trusted for each role. */
  readonly keys: Readonly<Record<RoleName, readonly KeyObject[]>>;
  /** How many different keys of a role must sign. */
  readonly thresholds: Readonly<Record<RoleName, number>>;
}

/**
 * The bytes of `N.root.json`. A rotation is signed by enough keys of the root before and enough of this one (§ 6.1);
 * whether the ones before are enough, `acceptRoot` on the root before tells. Faults: TRUST_UNSIGNED if a role has fewer
 * keys than it needs, needs none, or the signers are not enough for this root itself; TRUST_DAMAGED for keys that are not Ed25519.
 */
export function makeRoot(plan: RootPlan, signers: readonly Signer[]): Result<Buffer> {
  const values = (role: RoleName): string[] => [...new Set(plan.keys[role].map(publicKeyHex))];
  const role = (name: RoleName) => ({ keyids: values(name).map(keyId), threshold: plan.thresholds[name] });
  const roles = {
    root: role('root'),
    timestamp: role('timestamp'),
    snapshot: role('snapshot'),
    targets: role('targets'),
  };
  for (const [name, { keyids, threshold }] of Object.entries(roles)) {
    if (threshold < 1 || threshold > keyids.length) {
      const range = `between 1 and ${keyids.length}, the number of its keys`;
      return fail('TRUST_UNSIGNED', `The ${name} would need ${threshold} signatures; it must be ${range}.`);
    }
  }
  const all = (Object.keys(roles) as RoleName[]).flatMap(values);
  const keys = Object.fromEntries(all.map((value) => [keyId(value), publicKeyJson(value)]));
  const bytes = signRole(
    'root',
    { ...common('root', plan), consistent_snapshot: true, keys, roles },
    signers,
  );
  const root = readRole('root', bytes);
  if (!root.ok) return root;
  const signed = checkSigned(root.value, root.value);
  return signed.ok ? ok(bytes) : signed;
}

/** The bytes of `N.targets.json`. */
export function makeTargets(
  plan: {
    readonly version: number;
    readonly expires: WallTime;
    /** All files that terminals may fetch or rely on, each with the name that `targetName` gives it. */
    readonly targets: readonly NamedTarget[];
  },
  signers: readonly Signer[],
): Buffer {
  const targets = Object.fromEntries(
    plan.targets.map(({ name, bytes, sha256, about }) => [
      name,
      { length: bytes, hashes: { sha256 }, custom: about },
    ]),
  );
  return signRole('targets', { ...common('targets', plan), targets }, signers);
}

/** The bytes of `N.snapshot.json`. Its expiry is also how long it can seed a terminal from a stick. */
export function makeSnapshot(
  plan: { readonly version: number; readonly expires: WallTime; readonly targets: ListedFile },
  signers: readonly Signer[],
): Buffer {
  const meta = { 'targets.json': listed(plan.targets) };
  return signRole('snapshot', { ...common('snapshot', plan), meta }, signers);
}

/** The bytes of `timestamp.json`. */
export function makeTimestamp(
  plan: { readonly version: number; readonly expires: WallTime; readonly snapshot: ListedFile },
  signers: readonly Signer[],
): Buffer {
  const meta = { 'snapshot.json': listed(plan.snapshot) };
  return signRole('timestamp', { ...common('timestamp', plan), meta }, signers);
}
