import { readFileSync, statSync } from 'node:fs';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { type HubSettings, HubTerminals } from '#contracts/settings/hub.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseSettings } from '#runtime/settings.ts';
import { openKey } from '../keys/key-file.ts';
import { Registry } from './registry.ts';
import { readRotatedKeys, type RotatedTerminal } from './rotated-keys.ts';

/** All that a hub knows on disk. */
export interface KnownTerminals {
  readonly registry: Registry;
  readonly rotated: ReadonlyMap<string, RotatedTerminal>;
  /** Terminals that are left out since their file in the state folder is damaged. */
  readonly leftOut: ReadonlyMap<string, Fault>;
  /** Public key of this hub. */
  readonly publicKey: string;
}

/**
 * Reads the terminals file, the keys that were rotated since and the hub's own key (made where there is none), and
 * checks them against each other. Changes nothing else.
 *
 * Faults: SETTINGS_UNREADABLE, SETTINGS_NOT_JSON, SETTINGS_INVALID, CREDENTIAL_UNREADABLE, FILE_REFUSED.
 */
export function readTerminals(settings: HubSettings): Result<KnownTerminals> {
  const key = openKey(settings.privateKey);
  if (!key.ok) return key;
  const { publicKey } = key.value;
  const listed = readList(settings.terminals);
  if (!listed.ok) return listed;
  const kept = readRotatedKeys(settings.state);
  if (!kept.ok) return kept;
  const names = new Set(listed.value.map(({ terminal }) => terminal));
  const leftOut = new Map([...kept.value.damaged].filter(([terminal]) => names.has(terminal)));
  const whole = listed.value.filter(({ terminal }) => !leftOut.has(terminal));
  const registry = Registry.build(whole, kept.value.terminals, { ...settings, publicKey });
  if (!registry.ok) return fail(registry.fault.code, `${settings.terminals}\n${registry.fault.detail}`);
  return ok({ registry: registry.value, rotated: kept.value.terminals, leftOut, publicKey });
}

function readList(file: string): Result<HubTerminals> {
  let text: string;
  let mode: number;
  try {
    mode = statSync(file).mode;
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('SETTINGS_UNREADABLE', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and a preshared key may stand there.
    return fail('SETTINGS_NOT_JSON', `${file}: is not JSON`);
  }
  const parsed = parseSettings(HubTerminals, value, file);
  if (!parsed.ok) return fail(parsed.fault.code, withoutSecrets(parsed.fault.detail));
  const secret = parsed.value.some(({ presharedKey, probes }) =>
    [presharedKey, ...probes.map((probe) => probe.presharedKey)].some((key) => key !== undefined),
  );
  if (secret && (mode & 0o077) !== 0)
    return fail(
      'CREDENTIAL_UNREADABLE',
      `${file}: holds preshared keys and others may read it (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); set it to 0600 and have those keys replaced`,
    );
  return parsed;
}

/** A wrong setting is quoted as it was found; a preshared key that was mistyped is still nearly one. */
function withoutSecrets(detail: string): string {
  return detail.replaceAll(/(presharedKey: found ).*?(; allowed)/g, '$1what is no key$2');
}
