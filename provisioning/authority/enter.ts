import type { KeyObject } from 'node:crypto';
import {
  answerType,
  type EnrolmentAnswer,
  type EnrolmentRequest,
  type EnrolmentSecret,
  type WireguardKeys,
  wrapContext,
} from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { type Wrapped, wrap } from '#formats/sealed.ts';
import { instant } from '#runtime/clock.ts';
import type { SignedFile } from '../envelopes.ts';
import type { Parts } from '../ports.ts';
import { networkOf } from '../sites/network.ts';
import { addressesOf } from '../sites/addresses.ts';
import { keyBefore, readSecret } from './fingerprint-files.ts';
import { issueAndEnter } from './issue.ts';
import type { Authority } from './open.ts';
import { presharedKeys, presharedSecret } from './preshared.ts';
import { renewRevocationList, revokeCertificates } from './revocation.ts';
import type { AuthorityStore, TokenRow } from './store.ts';

/** What a request proves the possession of, and what secrets are wrapped to. */
export interface RequestKeys {
  readonly tls: KeyObject;
  readonly wrapping: KeyObject;
}

/**
 * Enters a terminal, inside the caller's transaction: its certificate, its registration with its keys, and the use of
 * its token. Gives the text of the answer.
 *
 * Faults: REQUEST_INVALID, PASSPHRASE_WRONG; CREDENTIAL_UNREADABLE and FILE_REFUSED are thrown.
 */
export async function enter(
  authority: Authority,
  token: TokenRow,
  file: SignedFile<EnrolmentRequest>,
  keys: RequestKeys,
  parts: Parts,
): Promise<Result<string>> {
  const issuer = authority.issuer();
  if (!issuer.ok) return issuer;
  const signer = authority.signer('enrolment');
  if (!signer.ok) return signer;
  const { store } = authority;
  const { digest: request } = file;
  const { terminal } = token;
  const { wireguard } = file.payload;
  const hubs = hubsFor(store, terminal, wireguard);
  if (!hubs.ok) return hubs;
  const now = instant(parts.clock.wall());
  const issued = await issueAndEnter(
    {
      use: { kind: 'terminal' },
      commonName: terminal,
      organisation: authority.bureau,
      publicKey: keys.tls,
    },
    issuer.value,
    store,
    parts,
  );
  const payload: EnrolmentAnswer = {
    v: 1,
    request,
    terminal,
    certificate: issued.certificate + issuer.value.certificate,
    ...wrappedSecrets(authority, terminal, request, hubs.value, keys.wrapping, parts),
    issuedAt: now,
  };
  const envelope = signEnvelope(answerType, Buffer.from(JSON.stringify(payload)), signer.value);
  const text = `${JSON.stringify(envelope)}\n`;
  store.run(
    'UPDATE tokens SET request = ?, answer = ?, used_at = ? WHERE id = ?',
    request,
    text,
    now,
    token.id,
  );
  store.run(
    `INSERT INTO terminals (terminal, site, certificate, enrolled_at, wrapping_key, wireguard, request)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       site = excluded.site, certificate = excluded.certificate, enrolled_at = excluded.enrolled_at, revoked_at = NULL,
       wrapping_key = excluded.wrapping_key, wireguard = excluded.wireguard, request = excluded.request`,
    terminal,
    token.site,
    issued.digest,
    now,
    file.payload.wrappingKey,
    wireguard === undefined ? null : JSON.stringify(wireguard),
    request,
  );
  // A terminal has one certificate: enrolled anew, the one before no longer opens anything.
  if (revokeCertificates(store, terminal, parts, issued.digest)) {
    await renewRevocationList(store, issuer.value, parts);
  }
  return ok(text);
}

/** The hubs that will take the terminal's keys; none where it has no tunnel. */
function hubsFor(
  store: AuthorityStore,
  terminal: string,
  wireguard: WireguardKeys | undefined,
): Result<readonly string[]> {
  if (wireguard === undefined) return ok([]);
  const network = networkOf(store);
  const uplinks = wireguard.probes.map(({ uplink }) => uplink);
  if (network === undefined || addressesOf(store, terminal, uplinks) === undefined)
    return fail('REQUEST_INVALID', 'It brings keys of a tunnel for which this authority has no addresses.');
  const own = keysOf(wireguard);
  if (new Set(own).size < own.length)
    return fail('REQUEST_INVALID', 'Two of its keys of WireGuard are the same.');
  const others = store.all<{ terminal: string; wireguard: string }>(
    'SELECT terminal, wireguard FROM terminals WHERE wireguard IS NOT NULL AND terminal <> ?',
    terminal,
  );
  // WireGuard would give the key to whichever comes last, without a word.
  const other = others.find((row) =>
    keysOf(JSON.parse(row.wireguard) as WireguardKeys).some((key) => own.includes(key)),
  );
  return other === undefined
    ? ok(network.hubs.map(({ name }) => name))
    : fail('REQUEST_INVALID', `It has a key of WireGuard that ${other.terminal} has: was a disk copied?`);
}

const keysOf = ({ tunnel, probes }: WireguardKeys): string[] => [
  tunnel,
  ...probes.map(({ publicKey }) => publicKey),
];

function wrappedSecrets(
  { files }: Authority,
  terminal: string,
  request: string,
  hubs: readonly string[],
  recipient: KeyObject,
  parts: Parts,
): Pick<EnrolmentAnswer, 'fingerprint' | 'fingerprintBefore' | 'auditDigest' | 'presharedKeys'> {
  const wrapped = (name: EnrolmentSecret, secret: unknown): Wrapped =>
    wrap(recipient, wrapContext(name, request), Buffer.from(JSON.stringify(secret)));
  const fingerprint = readSecret(files.fingerprint);
  const before = keyBefore(files, fingerprint);
  return {
    fingerprint: wrapped('fingerprint', fingerprint),
    ...(before !== undefined && { fingerprintBefore: wrapped('fingerprint-before', before) }),
    auditDigest: wrapped('audit-digest', readSecret(files.auditDigest)),
    ...(hubs.length > 0 && {
      presharedKeys: wrapped(
        'preshared-keys',
        presharedKeys(presharedSecret(files, parts), terminal, hubs, request),
      ),
    }),
  };
}
