import Type, { type Static } from 'typebox';
import { CollectionName, EditionNumber, Instant } from './names.ts';

/**
 * What the signed description of editions (The Update Framework's targets metadata) says of each file, in `custom` beside
 * its length and SHA-256. Names: `sltd/12/base.fingerprints`, `sltd/12/base.payload`, `sltd/13/delta`.
 */
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal' });

const common = {
  collection: CollectionName,
  edition: EditionNumber,
  /** How old the knowledge of the edition is. */
  date: Instant,
  /** Records in the edition. */
  count: Type.Integer({ minimum: 0 }),
  /** Id of the bureau's fingerprint key that it was made with. */
  fingerprintKey: Type.String({ pattern: '^[A-Za-z0-9._-]{1,62}$' }),
};

export const BasePartTarget = Type.Object(
  {
    ...common,
    part: Type.Union([Type.Literal('fingerprints'), Type.Literal('payload')]),
    /** Root of the hash tree over the file's bytes before its leaf hashes (formats/edition/hash-tree.ts). */
    tree: Hash,
    /** Where in the file the leaf hashes stand, to its end. */
    leavesAt: Type.Integer({ minimum: 0 }),
    /** Whether the file can be fetched; false where it is listed for terminals that compact to it only. */
    served: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type BasePartTarget = Static<typeof BasePartTarget>;

export const DeltaTarget = Type.Object(
  { ...common, part: Type.Literal('delta'), from: EditionNumber },
  { additionalProperties: false },
);
export type DeltaTarget = Static<typeof DeltaTarget>;

export const EditionTarget = Type.Union([BasePartTarget, DeltaTarget]);
export type EditionTarget = Static<typeof EditionTarget>;

/** A file of an edition as the signed description names it. */
export interface NamedTarget<T extends EditionTarget = EditionTarget> {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  readonly about: T;
}

export function targetName(about: Pick<EditionTarget, 'collection' | 'edition' | 'part'>): string {
  const file = about.part === 'delta' ? 'delta' : `base.${about.part}`;
  return `${about.collection}/${about.edition}/${file}`;
}

/** Where a target lies under the repository's address: consistent snapshots of The Update Framework, § 6.2. */
export function targetPath(target: Pick<NamedTarget, 'name' | 'sha256'>): string {
  const cut = target.name.lastIndexOf('/') + 1;
  return `targets/${target.name.slice(0, cut)}${target.sha256}.${target.name.slice(cut)}`;
}

/** Under this path of the centre's HTTPS service the repository is served. */
export const editionsPath = '/v1/editions/';
