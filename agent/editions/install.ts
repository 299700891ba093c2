import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeltaTarget, EditionTarget, NamedTarget } from '#contracts/edition-target.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { Base, Edition, type EditionHeader } from '#formats/edition/index.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { syncFolder } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import type { BaseFiles, EditionFolder, Generation } from './generation.ts';
import { applyDelta, secretFor } from './open.ts';
import type { BasePair } from './plan.ts';
import type { Work } from './work.ts';

/** A generation with its open edition. */
export interface Held {
  readonly generation: Generation;
  readonly edition: Edition;
}

export interface InstallParts {
  readonly folder: EditionFolder;
  readonly secrets: () => readonly NamedSecret[];
  readonly work: Work;
  readonly signal: AbortSignal;
}

/**
 * Puts a base that was fetched into a folder of its own, with its filter, and tries it out; nothing is in use yet. Faults:
 * EDITION_DAMAGED, EDITION_NEWER, EDITION_FOREIGN, STORE_FULL, FILE_REFUSED.
 */
export function installBase(
  pair: BasePair,
  fetched: { readonly fingerprints: string; readonly payload: string },
  parts: InstallParts,
): Promise<Result<Generation>> {
  return inNewFolder(pair, parts, async (folder) => {
    const files = parts.folder.baseFiles(folder);
    await rename(fetched.fingerprints, files.fingerprints);
    await rename(fetched.payload, files.payload);
    const done = await tryOut(files);
    if (!done.ok && !isAboutContent(done.fault)) {
      // The disk or this process was at fault: what took hours to come is kept for the next attempt.
      await rename(files.fingerprints, fetched.fingerprints);
      await rename(files.payload, fetched.payload);
    }
    return done;
  });

  async function tryOut(files: BaseFiles): Promise<Result<void>> {
    const opened = Base.open(files);
    if (!opened.ok) return opened;
    const { header } = opened.value;
    opened.value.close();
    const described = isDescribed(header, pair.fingerprints.about);
    if (!described.ok) return described;
    const secret = secretFor(header, parts.secrets());
    if (!secret.ok) return secret;
    return parts.work({ kind: 'filter', base: files, sha256: pair.fingerprints.sha256 }, parts.signal);
  }
}

function isAboutContent({ code }: Fault): boolean {
  return code.startsWith('EDITION_');
}

/**
 * Makes the base of the edition in use from its base and its deltas, in another thread; it must come out as it was
 * signed. Faults as of `installBase`.
 */
export function compact(held: Held, pair: BasePair, parts: InstallParts): Promise<Result<Generation>> {
  const { base, deltas } = held.generation;
  return inNewFolder(pair, parts, (folder) =>
    parts.work(
      {
        kind: 'compact',
        base: parts.folder.baseFiles(base.folder),
        deltas: deltas.map(({ edition }) => parts.folder.delta(edition)),
        into: parts.folder.baseFiles(folder),
        signed: { fingerprints: pair.fingerprints.sha256, payload: pair.payload.sha256 },
      },
      parts.signal,
    ),
  );
}

/** Applies a delta that was fetched: the edition after it, on the same base. It is not in use yet. */
export async function installDelta(
  held: Held,
  target: NamedTarget<DeltaTarget>,
  fetched: string,
  { folder, secrets }: InstallParts,
): Promise<Result<Held>> {
  try {
    const bytes = await readFile(fetched);
    if (createHash('sha256').update(bytes).digest('hex') !== target.sha256) {
      return fail('EDITION_DAMAGED', `${target.name} is not what was signed.`);
    }
    const { header, overlay, base, filter } = held.edition;
    const applied = applyDelta({ header, overlay }, bytes);
    if (!applied.ok) return applied;
    const described = isDescribed(applied.value.header, target.about);
    if (!described.ok) return described;
    const secret = secretFor(applied.value.header, secrets());
    if (!secret.ok) return secret;
    const { edition } = target.about;
    const file = folder.delta(edition);
    if (fetched !== file) {
      await rename(fetched, file);
      await syncFolder(folder.deltas);
    }
    return ok({
      generation: {
        ...held.generation,
        deltas: [...held.generation.deltas, { edition, sha256: target.sha256 }],
      },
      edition: new Edition({ base, filter, ...applied.value, secret: secret.value }),
    });
  } catch (cause) {
    return refused(cause);
  }
}

/** Removes bases and deltas that no generation needs; what cannot be removed stays. */
export async function tidy(folder: EditionFolder, kept: readonly (Generation | undefined)[]): Promise<void> {
  const generations = kept.filter((one) => one !== undefined);
  const bases = new Set(generations.map(({ base }) => base.folder));
  const deltas = new Set(generations.flatMap((one) => one.deltas.map(({ edition }) => `${edition}.delta`)));
  await removeOthers(folder.bases, bases);
  await removeOthers(folder.deltas, deltas);
}

async function removeOthers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!kept.has(name)) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function inNewFolder(
  pair: BasePair,
  { folder }: InstallParts,
  fill: (name: string) => Promise<Result<void>>,
): Promise<Result<Generation>> {
  const { edition } = pair.fingerprints.about;
  try {
    const name = await newFolder(folder, edition);
    const path = folder.base(name);
    const filled = await fill(name).catch((cause: unknown) => refused(cause));
    if (!filled.ok) {
      await rm(path, { recursive: true, force: true });
      return filled;
    }
    await syncFolder(path);
    await syncFolder(folder.bases);
    const part = ({ bytes, sha256, about }: BasePair['payload']) => ({ bytes, sha256, tree: about.tree });
    return ok({
      v: 1,
      base: {
        edition,
        folder: name,
        fingerprints: part(pair.fingerprints),
        payload: part(pair.payload),
      },
      deltas: [],
    });
  } catch (cause) {
    return refused(cause);
  }
}

async function newFolder(folder: EditionFolder, edition: number): Promise<string> {
  const there = new Set(await readdir(folder.bases));
  let attempt = 0;
  while (there.has(`${edition}-${attempt}`)) attempt++;
  const name = `${edition}-${attempt}`;
  await mkdir(folder.base(name), { mode: 0o700 });
  return name;
}

/** Whether a file says of itself what the signed description says of it. */
function isDescribed(header: EditionHeader, about: EditionTarget): Result<void> {
  const same =
    header.collection === about.collection &&
    header.edition === about.edition &&
    header.date === Date.parse(about.date) &&
    header.count === about.count &&
    header.fingerprintKey === about.fingerprintKey;
  if (same) return ok(undefined);
  return fail(
    'EDITION_DAMAGED',
    `It is edition ${header.edition}, and not as edition ${about.edition} was described.`,
  );
}

function refused(cause: unknown): Result<never> {
  const code = systemCode(cause) ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail('STORE_FULL', 'There is no space for the edition.', cause);
  }
  return fail('FILE_REFUSED', `A file of the edition was refused (${code}).`, cause);
}

/** Below this many changes a new base saves nothing, however small the collection. */
const leastChanges = 1000;

/** Whether the changes since the base are so many, or the base so old, that a new one is due. */
export function isCompactionDue(
  { generation, edition }: Held,
  limits: { readonly percent: number; readonly days: number },
): boolean {
  if (generation.deltas.length === 0) return false;
  const { base, overlay, header } = edition;
  const isLarge = overlay.size > Math.max(leastChanges, (base.header.count * limits.percent) / 100);
  // Both dates are the publisher's: a clock of this machine that is wrong has no say in it.
  return isLarge || header.date - base.header.date > limits.days * 86_400_000;
}
