import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Bundle, WireguardKeys } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { parseValue } from '#runtime/parse.ts';
import { parseSettings } from '#runtime/settings.ts';
import { adopt, makeFolder, move, readOptional, remove, writeChanged } from '../files.ts';
import type { Given } from './answer.ts';

/** The uplink of the machine that is being enrolled. */
export interface TunnelParts {
  /** Folder that the uplink keeps everything in, its configuration too. */
  readonly folder: string;
  /** Makes the keys of WireGuard of these settings, where they are missing, and gives their public halves by slot. */
  readonly publicKeys: (
    settings: UplinkSettings,
  ) => Promise<Result<readonly { readonly slot: string; readonly publicKey: string }[]>>;
}

/** Where the configuration of the uplink lies. */
export function uplinkConfigFile({ folder }: Pick<TunnelParts, 'folder'>): string {
  return join(resolve(folder), 'uplink.json');
}

/**
 * Makes the terminal's keys of WireGuard for the request, in a folder of their own: those that are in use go on until
 * the answer is there. Undefined where the bundle has no tunnel.
 */
export async function tunnelKeys(
  tunnel: TunnelParts,
  bundle: Bundle,
): Promise<Result<WireguardKeys | undefined>> {
  if (bundle.network === undefined) return ok(undefined);
  const folder = staged(tunnel, bundle.token.id);
  makeFolder(folder);
  const settings = parseSettings(
    UplinkSettings,
    { terminal: bundle.terminal, state: '.', privateKey: keyFile, ...bundle.network },
    join(folder, 'uplink.json'),
  );
  if (!settings.ok) return settings;
  const made = await tunnel.publicKeys(settings.value);
  if (!made.ok) return made;
  const keyOf = (slot: string): string | undefined => made.value.find((one) => one.slot === slot)?.publicKey;
  const keys = {
    tunnel: keyOf('tunnel'),
    probes: bundle.network.uplinks.map(({ name }) => ({ uplink: name, publicKey: keyOf(`probe-${name}`) })),
  };
  return parseValue(WireguardKeys, keys, 'INTERNAL');
}

/**
 * Brings the keys of the request into force and writes the configuration of the uplink. Interrupted anywhere, it is run
 * again; the keys that were in force before are gone then, as their hubs no longer take them.
 */
export function installTunnel(tunnel: TunnelParts, bundle: Bundle, given: Given): Result<void> {
  const { network, terminal } = bundle;
  if (network === undefined) return ok(undefined);
  const folder = resolve(tunnel.folder);
  const file = uplinkConfigFile(tunnel);
  const before = readBefore(file);
  if (!before.ok) return before;
  const settings = {
    ...before.value,
    terminal,
    state: '.',
    privateKey: keyFile,
    presharedKeys: 'psk',
    trusted: 'trusted.json',
    ...network,
  };
  const whole = parseSettings(UplinkSettings, settings, file);
  if (!whole.ok) return whole;

  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  for (const hub of network.hubs) {
    makeFolder(join(folder, 'psk'));
    writeChanged(join(folder, 'psk', `${hub.name}.psk`), `${given.presharedKeys?.[hub.name] ?? ''}\n`);
  }
  writeChanged(join(folder, 'trusted.json'), json({ keys: bundle.trusted }));
  const from = staged(tunnel, bundle.token.id);
  // The keys of the slots first: without its tunnel key, which is moved last, the folder is not looked at again.
  if (existsSync(join(from, keyFile))) {
    if (existsSync(join(from, 'keys'))) move(join(from, 'keys'), join(folder, 'keys'));
    move(join(from, keyFile), join(folder, keyFile));
  }
  if (!existsSync(join(folder, keyFile)))
    return fail('CREDENTIAL_UNREADABLE', `${join(folder, keyFile)}: the key of the request is gone.`);
  writeChanged(file, json(settings));
  adopt(folder);
  return ok(undefined);
}

/** What was made for requests is no longer needed. */
export function removeTunnel({ folder }: TunnelParts): void {
  remove(join(resolve(folder), 'enrolment'));
}

const keyFile = 'tunnel.key';

function staged({ folder }: TunnelParts, token: string): string {
  return join(resolve(folder), 'enrolment', token);
}

function readBefore(file: string): Result<object> {
  const text = readOptional(file);
  if (text === undefined) return ok({});
  try {
    return ok(JSON.parse(text) as object);
  } catch (cause) {
    return fail('SETTINGS_NOT_JSON', `${file}: ${(cause as Error).message}`, cause);
  }
}
