import type { NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { type Listing, readRole, type RoleFile, type RoleKeys, type RoleName } from './roles.ts';
import { checkSigned, isListed, label, readSigned } from './rules.ts';

/**
 * What is believed now. There is always a root; the others come one after another, and some may be missing or lag behind
 * while an update is interrupted. What always holds: each is signed by the keys of this root; the snapshot is not newer
 * than the timestamp lists, the targets are not newer than the snapshot lists, and at the same version they are the very
 * files that are listed.
 */
export interface Trusted {
  readonly root: RoleFile<'root'>;
  readonly timestamp?: RoleFile<'timestamp'>;
  readonly snapshot?: RoleFile<'snapshot'>;
  readonly targets?: RoleFile<'targets'>;
}

/** The files of what is believed, as they are kept on disk. */
export interface TrustFiles {
  readonly root: Buffer;
  readonly timestamp?: Buffer;
  readonly snapshot?: Buffer;
  readonly targets?: Buffer;
}

/**
 * Opens what was kept: forms, signatures and whether the files belong together are checked again, expiry is not, since
 * what has expired still protects from what is older. The root is believed because it was kept or came with enrolment;
 * its own signatures only show that it is whole. Faults: TRUST_DAMAGED, TRUST_UNSIGNED, TRUST_MIXED. A caller that then
 * goes on with the root alone gives the protection from older files away, and should say so.
 */
export function openTrust(files: TrustFiles): Result<Trusted> {
  const root = readRole('root', files.root);
  if (!root.ok) return root;
  const whole = checkSigned(root.value, root.value);
  if (!whole.ok) return whole;
  let trusted: Trusted = { root: root.value };
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    const bytes = files[role];
    if (bytes === undefined) continue;
    const file = readSigned(root.value, role, bytes);
    if (!file.ok) return file;
    trusted = { ...trusted, [role]: file.value };
  }
  const { timestamp, snapshot, targets } = trusted;
  if (isAhead(timestamp?.says.snapshot, snapshot)) return apart(timestamp, snapshot);
  if (isAhead(snapshot?.says.targets, targets)) return apart(snapshot, targets);
  return ok(trusted);
}

/** Whether a file is newer than what is listed, or another one of the same version; one that lags behind is neither. */
export function isAhead(listing: Listing | undefined, file: RoleFile | undefined): boolean {
  if (listing === undefined || file === undefined || file.version < listing.version) return false;
  return file.version > listing.version || !isListed(listing, file.bytes);
}

function apart(by: RoleFile | undefined, file: RoleFile | undefined): Result<never> {
  const names = [by, file].map((one) => (one === undefined ? 'nothing' : label(one)));
  return fail(
    'TRUST_MIXED',
    `The ${names[1]} that was kept does not belong to the ${names[0]} that was kept.`,
  );
}

/** What is believed without some of its files. */
export function without(trusted: Trusted, roles: readonly ('timestamp' | 'snapshot' | 'targets')[]): Trusted {
  const kept = Object.entries(trusted).filter(([role]) => !(roles as readonly string[]).includes(role));
  return { ...Object.fromEntries(kept), root: trusted.root };
}

/** The bytes to keep. A file that is absent here must be gone from the disk too, or `openTrust` may refuse them later. */
export function filesOf({ root, timestamp, snapshot, targets }: Trusted): TrustFiles {
  return {
    root: root.bytes,
    ...(timestamp && { timestamp: timestamp.bytes }),
    ...(snapshot && { snapshot: snapshot.bytes }),
    ...(targets && { targets: targets.bytes }),
  };
}

/**
 * The files that the believed targets name; none if there are no targets yet. While an update is interrupted they are
 * those believed before it.
 */
export function targetsOf(trusted: Trusted): readonly NamedTarget[] {
  return trusted.targets?.says.files ?? [];
}

export interface RoleDescription {
  readonly version: number;
  readonly expires: WallTime;
}

/** What is believed, in words and numbers: for a page, and for the publisher's next publishing. */
export interface TrustDescription {
  readonly root: RoleDescription & { readonly roles: Readonly<Record<RoleName, RoleKeys>> };
  readonly timestamp?: RoleDescription;
  readonly snapshot?: RoleDescription;
  readonly targets?: RoleDescription & { readonly files: readonly NamedTarget[] };
}

export function describeTrust({ root, timestamp, snapshot, targets }: Trusted): TrustDescription {
  const of = ({ version, expires }: RoleFile): RoleDescription => ({ version, expires });
  return {
    root: { ...of(root), roles: root.says.roles },
    ...(timestamp && { timestamp: of(timestamp) }),
    ...(snapshot && { snapshot: of(snapshot) }),
    ...(targets && { targets: { ...of(targets), files: targets.says.files } }),
  };
}

/**
 * What the publisher reads back of its own repository: the versions to count on from, the files listed. It is checked
 * as a terminal would, so that nothing that was changed on the publisher's disk is signed by the next publishing. If the
 * publisher was interrupted between a new root and what the new keys sign, the root before still describes the rest.
 */
export function describeRepository(files: TrustFiles): Result<TrustDescription> {
  const trusted = openTrust(files);
  return trusted.ok ? ok(describeTrust(trusted.value)) : trusted;
}
