import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import type { Bundle } from '#contracts/enrolment.ts';
import { meteredKeepAlive } from '#contracts/metered.ts';
import { TerminalId, Uuid } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseJson } from '#runtime/parse.ts';
import { parseSettings } from '#runtime/settings.ts';
import { uplinkSocket } from '#runtime/uplink-client.ts';
import { adopt, makeFolder, readOptional, remove, writeChanged, writeWhole } from '../files.ts';
import { isMetered } from '../sites/terminal-network.ts';
import type { Given } from './answer.ts';
import type { Pending } from './pending.ts';
import { installTunnel, type TunnelParts } from './tunnel.ts';

/** `enrolment/done.json`: which terminal this machine is, and by which token it became so. */
const Done = Type.Object({ terminal: TerminalId, token: Uuid }, { additionalProperties: false });
export type Done = Static<typeof Done>;

export function readDone(state: string): Result<Done | undefined> {
  const path = join(state, 'enrolment', 'done.json');
  const text = readOptional(path);
  if (text === undefined) return ok(undefined);
  const parsed = parseJson(Done, text, 'CREDENTIAL_UNREADABLE');
  return parsed.ok ? parsed : fail('CREDENTIAL_UNREADABLE', `${path}: ${parsed.fault.detail}`);
}

/** Where the agent's configuration lies in the state folder. */
export function agentConfigFile(state: string): string {
  return join(state, 'agent.json');
}

/**
 * Writes all that the agent needs, each file whole, `done.json` last: interrupted, it is run again from the kept
 * request and the answer. The terminal's own seals stay when there are some: what is sealed with them is still there.
 */
export function install(
  { state, tunnel }: { readonly state: string; readonly tunnel: TunnelParts },
  bundle: Bundle,
  pending: Pending,
  given: Given,
): Result<void> {
  const settings = agentSettings(state, bundle);
  if (!settings.ok) return settings;
  const at = (...names: string[]): string => join(state, ...names);
  for (const folder of ['keys', 'tls', 'data', 'editions']) makeFolder(at(folder));
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  writeChanged(at('keys', 'trusted.json'), json({ keys: bundle.trusted }));
  writeChanged(at('keys', 'editions-root.json'), bundle.editionsRoot);
  writeChanged(at('keys', 'fingerprint.json'), json(given.fingerprint));
  if (given.fingerprintBefore === undefined) remove(at('keys', 'fingerprint-before.json'));
  else writeChanged(at('keys', 'fingerprint-before.json'), json(given.fingerprintBefore));
  writeChanged(at('keys', 'audit-digest.json'), json(given.auditDigest));
  // What the bureau has for this terminal later, such as its next fingerprint key, is wrapped to the same key.
  writeChanged(at('keys', 'wrapping.pem'), pending.wrappingKey);
  for (const [name, secret] of [
    ['seal.json', pending.seal],
    ['audit-seal.json', pending.auditSeal],
  ] as const) {
    if (readOptional(at('keys', name)) === undefined) writeWhole(at('keys', name), json(secret));
  }
  writeChanged(at('tls', 'authority.pem'), bundle.authority);
  writeChanged(at('tls', 'key.pem'), pending.tlsKey);
  writeChanged(at('tls', 'certificate.pem'), given.certificate);
  writeChanged(agentConfigFile(state), json(settings.value));
  const connected = installTunnel(tunnel, bundle, given);
  if (!connected.ok) return connected;
  writeWhole(
    at('enrolment', 'done.json'),
    json({ terminal: bundle.terminal, token: bundle.token.id } satisfies Done),
  );
  adopt(state);
  return ok(undefined);
}

/**
 * The configuration of the agent: what the bundle says over what an engineer may have set before. Paths are relative, so
 * that the state folder can be mounted anywhere.
 */
function agentSettings(state: string, bundle: Bundle): Result<object> {
  const file = agentConfigFile(state);
  const before = readBefore(file);
  if (!before.ok) return before;
  const kept = before.value;
  const settings = {
    ...kept,
    terminal: bundle.terminal,
    bureau: bundle.bureau,
    site: bundle.site.id,
    state: kept.state ?? 'data',
    readers: bundle.readers.length > 0 ? bundle.readers : (kept.readers ?? []),
    profiles: bundle.profiles.length > 0 ? bundle.profiles : (kept.profiles ?? []),
    tls: { authority: 'tls/authority.pem', certificate: 'tls/certificate.pem', key: 'tls/key.pem' },
    keys: 'keys',
    central: { ...kept.central, url: bundle.centre.central },
    fleet: {
      ...kept.fleet,
      url: bundle.centre.fleet,
      ...(bundle.network !== undefined &&
        isMetered(bundle.network.uplinks) && { keepAliveSeconds: meteredKeepAlive }),
    },
    edition: kept.edition ?? { folder: 'editions' },
    uplink: kept.uplink ?? { socket: uplinkSocket },
  };
  const whole = parseSettings(AgentSettings, settings, file);
  // What is written is what was said, without the defaults: those may change with the release.
  return whole.ok ? ok(settings) : whole;
}

function readBefore(file: string): Result<Partial<AgentSettings>> {
  const text = readOptional(file);
  if (text === undefined) return ok({});
  try {
    return ok(JSON.parse(text) as Partial<AgentSettings>);
  } catch (cause) {
    return fail('SETTINGS_NOT_JSON', `${file}: ${(cause as Error).message}`, cause);
  }
}
