/**
 * The signed description of editions: metadata of The Update Framework (specification 1.0), both what the publisher signs
 * and what the terminal believes. Only functions of what is passed in: no file, no network, no clock.
 */
export { keyIdOf, type Signer } from './models.ts';
export { type FetchFile, type KeepTrust, refreshTrust } from './refresh.ts';
export { maxBytes as maxMetadataBytes, type RoleKeys, type RoleName } from './roles.ts';
export { acceptSeed, type Seed } from './seed.ts';
export {
  type ListedFile,
  makeRoot,
  makeSnapshot,
  makeTargets,
  makeTimestamp,
  type RootPlan,
} from './sign.ts';
export {
  describeRepository,
  describeTrust,
  filesOf,
  openTrust,
  type RoleDescription,
  targetsOf,
  type TrustDescription,
  type Trusted,
  type TrustFiles,
} from './trusted.ts';
export { acceptRoot, acceptSnapshot, acceptTargets, acceptTimestamp } from './verify.ts';
