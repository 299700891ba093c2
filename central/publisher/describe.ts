import {
  type BasePartTarget,
  type DeltaTarget,
  type EditionTarget,
  type NamedTarget,
  targetName,
} from '#contracts/edition-target.ts';
import type { EditionHeader, WrittenFile } from '#formats/edition/index.ts';

/** Which files the description of the next edition names: a pure function of what it named before and what was made. */

export interface MadeEdition {
  readonly header: EditionHeader;
  readonly fingerprints: WrittenFile;
  readonly payload: WrittenFile;
  /** Undefined for the first edition, and where the fingerprint key is another one. */
  readonly delta?: { readonly bytes: number; readonly sha256: string; readonly from: number };
  /** Whether a whole base shall be served whatever the changes since the last one are. */
  readonly newBase: boolean;
}

/** Compaction is to these editions: a terminal makes a base of the edition that it has, which is nearly always newest. */
const hashesListed = 3;
/** Bases that are served: a terminal may be fetching the one before for hours. */
const basesServed = 2;
/**
 * A new base is served when what has changed since the last one is this share of it, or it is this old, or so many deltas
 * follow it: the description has room for 1,024 files, and every terminal fetches it whole.
 */
export const newBaseAt = { share: 0.02, days: 30, deltas: 200 } as const;

export function describeNext(before: readonly NamedTarget[], made: MadeEdition): NamedTarget[] {
  const { header, delta } = made;
  const bases = before.filter(isBase);
  const deltas = before.filter(isDelta);
  const lastServed = Math.max(
    0,
    ...bases.filter(({ about }) => about.served).map(({ about }) => about.edition),
  );
  const served = made.newBase || delta === undefined || isBaseDue(before, made, lastServed);
  const common = commonOf(header);
  const part = (name: BasePartTarget['part'], file: WrittenFile): NamedTarget<BasePartTarget> =>
    named(file, { ...common, part: name, tree: file.tree, leavesAt: file.leavesAt, served });
  const all: NamedTarget[] = [
    ...bases,
    ...deltas,
    part('fingerprints', made.fingerprints),
    part('payload', made.payload),
    ...(delta === undefined ? [] : [named(delta, { ...common, part: 'delta', from: delta.from })]),
  ];
  return kept(all, header);
}

/** Bases still served or just made, and the deltas that lead on from the oldest of those served. */
function kept(all: readonly NamedTarget[], { edition, fingerprintKey }: EditionHeader): NamedTarget[] {
  const served = [
    ...new Set(
      all
        .filter(isBase)
        .filter(({ about }) => about.served)
        .map(({ about }) => about.edition),
    ),
  ]
    .sort((a, b) => b - a)
    .slice(0, basesServed);
  const oldest = served.at(-1) ?? edition;
  return all.flatMap((target) => {
    const { about } = target;
    // What was made with another fingerprint key leads nowhere any more.
    if (about.fingerprintKey !== fingerprintKey) return [];
    if (about.part === 'delta') return about.edition > oldest ? target : [];
    if (about.served && served.includes(about.edition)) return target;
    return about.edition > edition - hashesListed ? { ...target, about: { ...about, served: false } } : [];
  });
}

function isBaseDue(before: readonly NamedTarget[], { header, delta }: MadeEdition, last: number): boolean {
  const base = before.find(({ about }) => about.edition === last && about.part === 'fingerprints');
  if (base === undefined) return true;
  if (header.date - Date.parse(base.about.date) > newBaseAt.days * 86_400_000) return true;
  const since = before.filter(isDelta).filter(({ about }) => about.edition > last);
  if (since.length >= newBaseAt.deltas) return true;
  // 8 bytes a change is what a delta costs; its own length is what is known of those before.
  const sum = since.reduce((total, target) => total + target.bytes, delta?.bytes ?? 0);
  return sum / 8 > newBaseAt.share * base.about.count && sum > 65_536;
}

function commonOf(header: EditionHeader) {
  const { collection, edition, date, count, fingerprintKey } = header;
  return { collection, edition, date: new Date(date).toISOString(), count, fingerprintKey };
}

function named<T extends EditionTarget>(
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
  about: T,
): NamedTarget<T> {
  return { name: targetName(about), bytes, sha256, about };
}

function isBase(target: NamedTarget): target is NamedTarget<BasePartTarget> {
  return target.about.part !== 'delta';
}

function isDelta(target: NamedTarget): target is NamedTarget<DeltaTarget> {
  return target.about.part === 'delta';
}
