export { authorityFiles } from './authority/layout.ts';
/** The bureau's authority, the sites, and the enrolment of terminals: what the command line calls. */
export { type BrokerFiles, type BrokerOrder, writeBroker } from './authority/broker.ts';
export { type AuthorityOrder, initAuthority, leastPassphrase } from './authority/init.ts';
export { type IssuedCredential, issueForPlay } from './authority/issue-many.ts';
export { type LimitsOrder, signLimits } from './authority/limits.ts';
export { needsPassphrase } from './authority/open.ts';
export { revoke } from './authority/revoke.ts';
export { rotateFingerprint, type Rotated, type RotateOrder } from './authority/rotate.ts';
export { issueServer, type ServerFiles, type ServerOrder } from './authority/server.ts';
export { type Signed, signRequest, type SignOrder } from './authority/sign.ts';
export { hubList, type HubListOrder } from './authority/hub-list.ts';
export { type NetworkOrder, setNetwork, showNetwork } from './sites/network.ts';
export { setUrls, type UrlName, type UrlsOrder } from './sites/urls.ts';
export type { TunnelParts } from './terminal/tunnel.ts';
export type { AuthorityAt, Parts } from './ports.ts';
export { type BundleOrder, type MadeBundle, writeBundle } from './sites/bundle.ts';
export { addSite, listSites, showSite, type SiteDetails, type SiteTerminal } from './sites/sites.ts';
export { enrol, type Enrolment, type EnrolOrder } from './terminal/enrol.ts';
