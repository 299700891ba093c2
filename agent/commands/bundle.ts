import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { bundleBytes, type DiagnosticBundle } from '#contracts/bundle.ts';
import type { TerminalId, Uuid } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';

/** What a diagnostic bundle is made of. A source that throws is named in it as missing. */
export interface BundleSources {
  readonly terminal: TerminalId;
  readonly boot: string;
  /** RFC 3339. */
  readonly now: () => string;
  readonly versions: () => Readonly<Record<string, string>>;
  readonly status: () => unknown;
  readonly health: () => unknown;
  readonly uplink: () => unknown;
  readonly configuration: () => unknown;
  readonly log: { lines(): string[]; readonly dropped: number };
}

const compress = promisify(gzip);
/** A terminal may be set up with ten thousand lines of profiles; what is longer than this is left out whole. */
const sectionBytes = 524_288;

/** Gathers a bundle: gzip'd JSON, at most `bundleBytes`; of the log the newest lines that fit. */
export async function makeBundle(id: Uuid, sources: BundleSources): Promise<Result<Buffer>> {
  const missing: string[] = [];
  const section = (name: string, read: () => unknown): unknown => {
    try {
      const value = withoutSecrets(read());
      if (JSON.stringify(value ?? null).length <= sectionBytes) return value ?? null;
    } catch {
      // Said in the bundle; a terminal in trouble is what bundles are for.
    }
    missing.push(name);
    return null;
  };
  const { terminal, boot, now, log } = sources;
  const sections = {
    status: section('status', sources.status),
    health: section('health', sources.health),
    uplink: section('uplink', sources.uplink),
    configuration: section('configuration', sources.configuration),
  };
  let lines = log.lines().map(withoutSecretsIn);
  let leftOut = log.dropped;
  for (;;) {
    const bundle: DiagnosticBundle = {
      v: 1,
      id,
      terminal,
      at: now(),
      boot,
      versions: { ...sources.versions() },
      ...sections,
      missing,
      log: { lines, leftOut },
    };
    const bytes = await compress(JSON.stringify(bundle));
    if (bytes.length <= bundleBytes) return ok(bytes);
    if (lines.length === 0) return fail('BUNDLE_REFUSED', `It is longer than ${bundleBytes} bytes.`);
    const half = Math.ceil(lines.length / 2);
    leftOut += half;
    lines = lines.slice(half);
  }
}

const taken = '[left out]';
/** Members whose text is a secret by its name; what names a file is not. */
const secretNames = /secret|passphrase|password|token|psk/i;

/**
 * The same without what looks like a secret or a document. None should be there: settings name files, and log lines hold
 * neither. This is for the day on which somebody has made a mistake.
 */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecretsIn(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretNames.test(name) && typeof inner === 'string' && !inner.startsWith('/')
        ? taken
        : withoutSecrets(inner),
    ]),
  );
}

function withoutSecretsIn(text: string): string {
  return (
    text
      // PEM, also as it stands in a line of JSON.
      .replace(/-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)/gs, taken)
      // A key of WireGuard: 32 bytes in base64.
      .replace(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g, taken)
      // A line of a machine readable zone.
      .replace(/(?=[A-Z0-9]*<)[A-Z0-9<]{28,}/g, taken)
  );
}
