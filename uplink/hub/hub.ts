import { fail, ok, type Result } from '#contracts/result.ts';
import type { HubSettings } from '#contracts/settings/hub.ts';
import { ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Notifier } from '#runtime/sd-notify.ts';
import { readSecret } from '../keys/key-file.ts';
import { ensureLink, type Link } from '../tunnel/link.ts';
import { watchCandidates } from './candidate-watch.ts';
import { configureInterface } from './interface.ts';
import { Keyring } from './keyring.ts';
import { Peers } from './peers.ts';
import { Routes } from './routes.ts';
import { startService } from './service.ts';
import { type KnownTerminals, readTerminals } from './terminals.ts';

export interface HubParts {
  readonly children: Children;
  readonly clock: Clock;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
}

export interface Hub {
  /** How many terminals it serves. */
  readonly terminals: number;
  /** Settles with a fault when the interface is gone, and well when it was closed. */
  readonly ended: Promise<Result<void>>;
  /** Reads the terminals file again; where it is refused, all stays as it was. */
  reload(): Promise<Result<void>>;
  /** Ends the service and takes the interface down. */
  close(): Promise<void>;
}

const lookEvery = ms(30_000);

/**
 * Brings a hub up: interface, peers, routes and the service for changes of keys. All that it needs lies on disk, so
 * that it comes back after a crash at any point; an interface that is there still is taken over.
 *
 * Faults: those of `readTerminals`, TUNNEL_FAILED, TOOL_MISSING, PORT_IN_USE, ADDRESS_REFUSED.
 */
export async function startHub(settings: HubSettings, parts: HubParts): Promise<Result<Hub>> {
  const { children, clock, log, signal } = parts;
  // Before anything changes: a list that is refused must not touch a tunnel that is up.
  const known = readTerminals(settings);
  if (!known.ok) return known;
  const privateKey = readSecret(settings.privateKey);
  if (privateKey === undefined) return fail('CREDENTIAL_UNREADABLE', `${settings.privateKey}: is gone again`);
  if (!privateKey.ok) return privateKey;
  tellLeftOut(known.value, log);
  const { interface: name, mode } = settings;
  const link = await ensureLink({ name, mode, children, clock, signal });
  if (!link.ok) return link;
  const keyring = new Keyring(known.value, {
    settings,
    privateKey: privateKey.value,
    peers: new Peers(settings.interface, children),
    routes: new Routes(settings.interface, children),
    clock,
    log,
  });
  const started = await serve(settings, link.value, keyring, parts);
  // One that was there before is left as it was: it may be that of a hub that runs.
  if (!started.ok && !link.value.adopted) await link.value.remove();
  return started;
}

async function serve(
  settings: HubSettings,
  link: Link,
  keyring: Keyring,
  parts: HubParts,
): Promise<Result<Hub>> {
  const { children, clock, log } = parts;
  const configured = await configureInterface(settings, children);
  if (!configured.ok) return configured;
  const watch = watchCandidates(keyring, clock);
  // First of all, since a hub that runs already has the port: then nothing of it is touched.
  const service = await startService(settings, { keyring, clock, log, offered: () => watch.wake() });
  if (!service.ok) {
    await watch.close();
    return service;
  }
  const synced = await keyring.sync();
  if (!synced.ok) {
    await service.value.close();
    await watch.close();
    return synced;
  }
  const stopping = new AbortController();
  const over = Promise.race([link.ended, keepLooking(keyring, stopping.signal, parts)]);
  return ok({
    get terminals() {
      return keyring.registry.terminals.length;
    },
    ended: over,
    async reload() {
      const before = new Set(keyring.registry.terminals);
      const done = await keyring.reload(() => readTerminals(settings));
      watch.wake();
      if (!done.ok) {
        log.error('The terminals were not read again; all stays as it was', faultFields(done.fault));
        return done;
      }
      tellLeftOut(done.value, log);
      const now = new Set(keyring.registry.terminals);
      const added = [...now].filter((name) => !before.has(name)).length;
      const removed = [...before].filter((name) => !now.has(name)).length;
      log.info('The terminals were read again', { terminals: now.size, added, removed });
      return ok(undefined);
    },
    async close() {
      stopping.abort();
      await service.value.close();
      await watch.close();
      await link.remove();
      await over;
    },
  });
}

/** Looks whether the interface is there still and has what it was given, and shows the service manager that it does. */
async function keepLooking(
  keyring: Keyring,
  signal: AbortSignal,
  { clock, log, notifier }: HubParts,
): Promise<Result<void>> {
  const every = ms(Math.min(lookEvery, notifier.watchdogEvery ?? Infinity));
  let failed = 0;
  await notifier.ready('Serving');
  while (!signal.aborted) {
    await pause(clock, every, signal);
    if (signal.aborted) break;
    const looked = await keyring.verify();
    if (signal.aborted) break;
    if (looked.ok) {
      failed = 0;
      await notifier.alive();
      continue;
    }
    log.error('The interface cannot be read or set', faultFields(looked.fault));
    // Once may be a machine that is short of memory; twice is an interface that is gone.
    if (++failed >= 2) return looked;
  }
  return ok(undefined);
}

function tellLeftOut({ leftOut }: KnownTerminals, log: Log): void {
  for (const [terminal, fault] of leftOut)
    log.error('A terminal is left out: its file in the state folder is damaged', {
      terminal,
      ...faultFields(fault),
    });
}
