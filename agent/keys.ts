import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { readTrustedKey, type TrustedKey } from '#formats/envelope.ts';
import { type NamedSecret, readNamedSecret } from '#formats/keyed.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/** The keys and certificates of this terminal, as enrolment left them. */
export interface AgentKeys {
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly trusted: readonly TrustedKey[];
  /** Root of trust of the bureau's editions (formats/trust), as enrolment brought it. */
  readonly editionsRoot: Buffer;
  /** The bureau's: make fingerprints of an edition. The newest first; the one before where enrolment brought it too. */
  readonly fingerprints: readonly NamedSecret[];
  /** This terminal's own: what the bureau has for it later is wrapped to it. Undefined where enrolment kept none. */
  readonly wrapping: KeyObject | undefined;
  /** The bureau's: makes digests of document numbers in the record. */
  readonly auditDigest: NamedSecret;
  /** This terminal's own: seals what it keeps of documents. */
  readonly seal: NamedSecret;
  /** This terminal's own: seals the entries of its record. */
  readonly auditSeal: NamedSecret;
}

const SecretFile = Type.Object({
  id: Type.String({ minLength: 1 }),
  secret: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
/** Files that a terminal of an older release, or most terminals, do not have. */
const optional = new Set(['fingerprintBefore', 'wrapping']);
const Role = Type.Enum(['configuration', 'commands', 'editions', 'releases', 'enrolment'] as const);
const TrustFile = Type.Object({
  keys: Type.Array(Type.Object({ id: Type.String(), role: Role, publicKey: Type.String() })),
});

/** Reads them all; the fault names the first file that is missing or is not what it should be, never what is in it. */
export function readAgentKeys(settings: Pick<AgentSettings, 'tls' | 'keys'>): Result<AgentKeys> {
  const texts = new Map<string, string>();
  const files = {
    authority: settings.tls.authority,
    certificate: settings.tls.certificate,
    key: settings.tls.key,
    trusted: join(settings.keys, 'trusted.json'),
    editionsRoot: join(settings.keys, 'editions-root.json'),
    fingerprint: join(settings.keys, 'fingerprint.json'),
    fingerprintBefore: join(settings.keys, 'fingerprint-before.json'),
    wrapping: join(settings.keys, 'wrapping.pem'),
    auditDigest: join(settings.keys, 'audit-digest.json'),
    seal: join(settings.keys, 'seal.json'),
    auditSeal: join(settings.keys, 'audit-seal.json'),
  };
  for (const [name, file] of Object.entries(files)) {
    try {
      texts.set(name, readFileSync(file, 'utf8'));
    } catch (cause) {
      const code = systemCode(cause) ?? 'unknown';
      if (code === 'ENOENT' && optional.has(name)) continue;
      return fail('CREDENTIAL_UNREADABLE', `${file} (${code}).`, cause);
    }
  }
  const text = (name: keyof typeof files): string => texts.get(name) ?? '';
  const trust = parseJson(TrustFile, text('trusted'), 'CREDENTIAL_UNREADABLE');
  if (!trust.ok) return named(files.trusted, trust.fault.detail);
  const secrets: NamedSecret[] = [];
  for (const name of ['fingerprint', 'auditDigest', 'seal', 'auditSeal'] as const) {
    const secret = parseJson(SecretFile, text(name), 'CREDENTIAL_UNREADABLE');
    if (!secret.ok) return named(files[name], secret.fault.detail);
    secrets.push(readNamedSecret(secret.value));
  }
  const before = texts.has('fingerprintBefore')
    ? parseJson(SecretFile, text('fingerprintBefore'), 'CREDENTIAL_UNREADABLE')
    : undefined;
  if (before?.ok === false) return named(files.fingerprintBefore, before.fault.detail);
  const wrapping = texts.has('wrapping') ? readWrappingKey(text('wrapping')) : ok(undefined);
  if (!wrapping.ok) return named(files.wrapping, wrapping.fault.detail);
  const [fingerprint, auditDigest, seal, auditSeal] = secrets as [
    NamedSecret,
    NamedSecret,
    NamedSecret,
    NamedSecret,
  ];
  const tls = { authority: text('authority'), certificate: text('certificate'), key: text('key') };
  return ok({
    tls,
    trusted: trust.value.keys.map(readTrustedKey),
    editionsRoot: Buffer.from(text('editionsRoot')),
    fingerprints: [fingerprint, ...(before === undefined ? [] : [readNamedSecret(before.value)])],
    wrapping: wrapping.value,
    auditDigest,
    seal,
    auditSeal,
  });
}

function readWrappingKey(pem: string): Result<KeyObject> {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'x25519') return ok(key);
  } catch {
    // What the library says may quote the key.
  }
  return fail('CREDENTIAL_UNREADABLE', 'It is not an X25519 private key in PEM.');
}

function named(file: string, detail: string): Result<never> {
  return fail('CREDENTIAL_UNREADABLE', `${file}: ${detail}`);
}
