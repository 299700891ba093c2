import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import {
  Base,
  checkSecret,
  decodeDelta,
  decodeFilter,
  Edition,
  type EditionHeader,
  type MembershipFilter,
  noFilter,
  Overlay,
} from '#formats/edition/index.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { systemCode } from '#runtime/errors.ts';
import type { EditionFolder, Generation } from './generation.ts';

export interface OpenedEdition {
  readonly edition: Edition;
  /** False where the filter has to be built again; until then each look-up reads the disk. */
  readonly filtered: boolean;
}

/**
 * Opens a generation: headers and index of its base, its filter, and each delta from its first byte to its last. `secrets`
 * are the bureau's fingerprint keys that this terminal holds. Faults: EDITION_DAMAGED, EDITION_NEWER, EDITION_FOREIGN.
 */
export async function openGeneration(
  folder: EditionFolder,
  generation: Generation,
  secrets: readonly NamedSecret[],
): Promise<Result<OpenedEdition>> {
  const base = openBase(folder, generation);
  if (!base.ok) return base;
  const opened = await openOn(base.value, folder, generation, secrets);
  if (!opened.ok) base.value.close();
  return opened;
}

/** The secret that an edition was made with; the fault is EDITION_FOREIGN. */
export function secretFor(
  header: Pick<EditionHeader, 'fingerprintKey' | 'fingerprintCheck'>,
  secrets: readonly NamedSecret[],
): Result<NamedSecret> {
  const secret = secrets.find(({ id }) => id === header.fingerprintKey) ?? secrets[0];
  if (secret === undefined) return fail('EDITION_FOREIGN', 'There is no fingerprint key on this terminal.');
  const checked = checkSecret(header, secret);
  return checked.ok ? ok(secret) : checked;
}

/** The filter of a base from its file, or undefined where it has to be built again. */
export async function readFilter(
  folder: EditionFolder,
  { base }: Generation,
  count: number,
): Promise<MembershipFilter | undefined> {
  try {
    const file = await readFile(folder.baseFiles(base.folder).filter);
    const filter = decodeFilter(file, Buffer.from(base.fingerprints.sha256, 'hex'), count);
    return filter.ok ? filter.value : undefined;
  } catch {
    return undefined;
  }
}

function openBase(folder: EditionFolder, { base }: Generation): Result<Base> {
  try {
    const opened = Base.open(folder.baseFiles(base.folder));
    if (!opened.ok) return opened;
    const { header, bytes } = opened.value;
    if (header.edition === base.edition && bytes === base.fingerprints.bytes + base.payload.bytes)
      return opened;
    opened.value.close();
    return fail('EDITION_DAMAGED', `The base in ${base.folder} is not the one that was put there.`);
  } catch (cause) {
    return fail(
      'EDITION_DAMAGED',
      `The base in ${base.folder} cannot be opened (${systemCode(cause)}).`,
      cause,
    );
  }
}

async function openOn(
  base: Base,
  folder: EditionFolder,
  generation: Generation,
  secrets: readonly NamedSecret[],
): Promise<Result<OpenedEdition>> {
  const secret = secretFor(base.header, secrets);
  if (!secret.ok) return secret;
  let header: EditionHeader = base.header;
  let overlay = Overlay.empty;
  for (const { edition, sha256 } of generation.deltas) {
    const file = folder.delta(edition);
    const bytes = await readDelta(file, sha256);
    if (!bytes.ok) return bytes;
    const applied = applyDelta({ header, overlay }, bytes.value);
    if (!applied.ok) return fail(applied.fault.code, `${file}: ${applied.fault.detail}`, applied.fault.cause);
    ({ header, overlay } = applied.value);
  }
  const filter = await readFilter(folder, generation, base.header.count);
  return ok({
    edition: new Edition({ base, filter: filter ?? noFilter, overlay, header, secret: secret.value }),
    filtered: filter !== undefined,
  });
}

async function readDelta(file: string, sha256: string): Promise<Result<Buffer>> {
  try {
    const bytes = await readFile(file);
    if (createHash('sha256').update(bytes).digest('hex') === sha256) return ok(bytes);
    return fail('EDITION_DAMAGED', `${file} is not the delta that was applied.`);
  } catch (cause) {
    return fail('EDITION_DAMAGED', `${file} cannot be read (${systemCode(cause)}).`, cause);
  }
}

/**
 * What comes after a delta. Faults: EDITION_DAMAGED, EDITION_NEWER, EDITION_GAP (it changes another edition),
 * EDITION_FOREIGN (another fingerprint key).
 */
export function applyDelta(
  before: { readonly header: EditionHeader; readonly overlay: Overlay },
  bytes: Buffer,
): Result<{ readonly header: EditionHeader; readonly overlay: Overlay }> {
  const decoded = decodeDelta(bytes);
  if (!decoded.ok) return decoded;
  const { header, additions, removals } = decoded.value;
  if (header.from !== before.header.edition) {
    return fail(
      'EDITION_GAP',
      `It makes edition ${header.edition} of edition ${header.from}; here is edition ${before.header.edition}.`,
    );
  }
  if (header.fingerprintCheck !== before.header.fingerprintCheck) {
    return fail(
      'EDITION_FOREIGN',
      `It was made with the fingerprint key ${header.fingerprintKey}; the edition that it changes with ${before.header.fingerprintKey}.`,
    );
  }
  if (header.count !== before.header.count + additions.hi.length - removals.hi.length) {
    return fail('EDITION_DAMAGED', 'It does not make as many records as it says.');
  }
  const overlay = before.overlay.with(decoded.value);
  if (!overlay.ok) return overlay;
  const { collection, edition, date, count, fingerprintKey, fingerprintCheck } = header;
  return ok({
    header: { collection, edition, date, count, fingerprintKey, fingerprintCheck },
    overlay: overlay.value,
  });
}
