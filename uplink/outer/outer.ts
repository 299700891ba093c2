import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { TrustedKeys } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { ms, seconds, wall } from '#contracts/units.ts';
import { readTrustedKey, type TrustedKey } from '#formats/envelope.ts';
import { readBootId } from '#runtime/clock.ts';
import { systemCode, toFault } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { ConfigurationKeeper, ConfigurationStore } from '../configuration/index.ts';
import { openControl, userNumber } from '../control/index.ts';
import { createFirewall } from '../firewall/index.ts';
import { openOuterEnd } from '../halves/outer-end.ts';
import { KeyStore } from '../keys/key-store.ts';
import { openLibc } from '../native/libc.ts';
import { descriptorOf, peerOf } from '../native/peer-credentials.ts';
import type { Running, UplinkParts } from '../part.ts';
import { type KeptAddress, readKept, writeKept } from '../resolve/index.ts';
import { TimeFloor } from '../time/index.ts';
import { watchNetwork } from '../tools/monitor.ts';
import { noteCarried, readCarried } from './carried.ts';
import { Events } from './events.ts';
import { StandingFaults } from './faults.ts';
import { Meters } from './meters.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { statusOf } from './status.ts';
import { Upkeep } from './upkeep.ts';
import { Watchers } from './watchers.ts';

const saveEvery = ms(600_000);

/**
 * The composition root of the outer half. It starts in any state of the machine: what cannot be done yet is a fault
 * that its status names, and is tried again; it ends by itself only where its own state cannot be opened.
 *
 * Faults: FILE_REFUSED, CREDENTIAL_UNREADABLE, ADDRESS_REFUSED, INTERNAL (no C library).
 */
export async function startOuter(settings: UplinkSettings, parts: UplinkParts): Promise<Result<Running>> {
  const { clock, random, children, log, notifier } = parts;
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    // One that fails keeps no other from its end: what is left open would keep the process alive.
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (thrown) {
        log.error('Something could not be closed', faultFields(toFault(thrown)));
      }
    }
  };
  const refuse = async <T extends { readonly ok: false }>(result: T): Promise<T> => {
    await close();
    return result;
  };

  // What must be there before anything is done.
  for (const folder of [settings.state, settings.run]) {
    const made = makeFolder(folder);
    if (!made.ok) return made;
  }
  const libc = await openLibc();
  if (!libc.ok) return libc;
  const trusted = readTrusted(settings.trusted);
  if (!trusted.ok) return trusted;
  const ownUid = process.getuid?.() ?? 0;
  const credentialsOf = (socket: Socket): Result<{ readonly uid: number }> => {
    const fd = descriptorOf(socket);
    return fd === undefined ? fail('UPLINK_DENIED', 'The connection is closed.') : peerOf(fd, libc.value);
  };

  const startedAt = clock.monotonic();
  const events = new Events(log, () => clock.monotonic());
  const faults = new StandingFaults(log, () => clock.monotonic());
  const meters = new Meters(settings.state, clock);
  const firewall = createFirewall({ children, clock, log });
  const floor = new TimeFloor({
    state: settings.state,
    built: wall(parts.builtAt),
    boot: readBootId(),
    clock,
  });
  if (floor.fault !== undefined) faults.note('the floor of the clock', { ok: false, fault: floor.fault });
  const keptFile = join(settings.state, 'addresses.json');
  const keep = (kept: readonly KeptAddress[]): void =>
    void writeKept(keptFile, kept).then((written) => faults.note('the addresses of the hubs', written));

  // The configuration in force: the terminal's own file, or a signed one that came later.
  const store = new ConfigurationStore(settings.state, networkOf(settings));
  for (const fault of store.faults) log.error('A configuration is damaged', faultFields(fault));
  const keeper = new ConfigurationKeeper({
    store,
    trusted: trusted.value,
    terminal: settings.terminal,
    probation: ms(settings.probationSeconds * 1000),
    clock,
    log,
    changeTo: (next) => sessions.change(next),
  });
  closers.push(() => keeper.close());

  // One configuration after the other.
  const carriedFile = join(settings.run, 'carrying.json');
  let seq = 0;
  const sessions: Sessions = new Sessions({
    events,
    faults,
    clock,
    async open({ version, network }) {
      const inForce = { ...settings, ...network };
      const keys = await KeyStore.open(inForce, { clock });
      if (!keys.ok) return keys;
      const session = new Session({
        settings: inForce,
        keys: keys.value,
        libc: libc.value,
        firewall,
        ownUid,
        children,
        clock,
        random,
        log,
        events,
        faults,
        floor,
        meters,
        carried: readCarried(carriedFile),
        onCarrying: (carrying) => noteCarried(carriedFile, carrying),
        keptAddresses: readKept(keptFile),
        keep,
        give: (order) => innerEnd.give(order),
        nextSeq: () => ++seq,
        onReached: () => keeper.reached(version),
        onChange: () => watchers.changed(),
      });
      if (innerEnd.connected) session.innerPresent(true);
      return ok(session);
    },
  });
  const since = standingSince(() => clock.monotonic());
  const status = (): UplinkStatus =>
    statusOf({
      session: sessions.current,
      settings: sessions.current?.parts.settings ?? settings,
      configuration: keeper.status,
      firewall: firewall.state(),
      startedAt,
      since,
      clock,
      floor,
      faults,
      events,
      meters,
    });
  const watchers = new Watchers({ clock, status, onNews: (news) => void notifier.status(words(news)) });
  closers.push(() => watchers.close());

  // The inner half.
  const opened = await openOuterEnd({
    path: join(settings.run, 'halves.sock'),
    log,
    credentialsOf,
    ownUid,
    onReport: (report) => sessions.current?.heard(report),
    onPresence: (there) => sessions.current?.innerPresent(there),
  });
  if (!opened.ok) return refuse(opened);
  const innerEnd = opened.value;
  closers.push(() => innerEnd.close());
  await keeper.start();
  const begun = await sessions.start(keeper.inForce);
  if (!begun.ok) return refuse(begun);
  closers.push(() => sessions.close());

  // News of the kernel.
  const watching = watchNetwork({
    children,
    clock,
    random,
    onChange: (what) => sessions.current?.network.news(what),
    onFault: (what, fault) =>
      log.warn('The news of the kernel are not heard', { what, ...faultFields(fault) }),
  });
  closers.push(() => watching.close());

  const control = await openControl({
    path: join(settings.run, 'control.sock'),
    credentialsOf,
    users: () => ({ own: ownUid, agent: userNumber(settings.agentUser) }),
    clock,
    log,
    handlers: {
      status,
      subscribe: (listener) => watchers.subscribe(listener),
      async apply(envelope) {
        const applied = await keeper.apply(envelope);
        return applied.ok ? ok(undefined) : applied;
      },
      rotate: (hub) => sessions.current?.keyChanges.rotate(hub) ?? Promise.resolve(ok(undefined)),
      probe() {
        sessions.current?.prober.want();
        return ok(undefined);
      },
      prefer: (choice) => sessions.current?.prefer(choice.auto ? undefined : choice) ?? ok(undefined),
      async enrolment(duration) {
        if (duration === 0) return firewall.closeMode('enrolment');
        const targets = settings.enrolment.map((text) => ({ protocol: 'tcp' as const, ...endpointOf(text) }));
        const opened = await firewall.openMode('enrolment', seconds(duration), targets);
        if (opened.ok) events.add(`the mode enrolment is open for ${duration} s`);
        watchers.changed();
        return opened;
      },
    },
  });
  if (!control.ok) return refuse(control);
  closers.push(() => control.value.close());

  const upkeep = new Upkeep({
    clock,
    notifier,
    saveEvery,
    async save() {
      const budgets = sessions.current?.prober.savedBudgets();
      if (budgets !== undefined) faults.note('the data budgets', await meters.save(budgets));
      await floor.keep();
    },
  });
  closers.push(() => upkeep.close());
  await notifier.ready('Starting');
  return ok({ ended: upkeep.ended.then(() => ok(undefined)), close });
}

function networkOf({ addresses, reach, uplinks, hubs, dns, time, portalCheck }: UplinkSettings) {
  return { addresses, reach, uplinks, hubs, dns, time, portalCheck };
}

function makeFolder(folder: string): Result<void> {
  try {
    // The agent, who is in the group of this user, must get through to the control socket, whatever the umask.
    if (mkdirSync(folder, { recursive: true, mode: 0o750 }) !== undefined) chmodSync(folder, 0o750);
    return ok(undefined);
  } catch (cause) {
    return fail('FILE_REFUSED', `${folder}: ${systemCode(cause) ?? 'cannot be made'}`, cause);
  }
}

function readTrusted(file: string | undefined): Result<readonly TrustedKey[]> {
  if (file === undefined) return ok([]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  const parsed = parseJson(TrustedKeys, text, 'CREDENTIAL_UNREADABLE');
  if (!parsed.ok) return parsed;
  try {
    return ok(parsed.value.keys.map(readTrustedKey));
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file}: holds a key that is none`, cause);
  }
}

function endpointOf(text: string): { address: string; port: number } {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
}

/** Since when something is as it is, by name; in seconds. */
function standingSince(now: () => number): (what: string, value: string) => number {
  const known = new Map<string, { readonly value: string; readonly at: number }>();
  return (what, value) => {
    const before = known.get(what);
    const entry = before?.value === value ? before : { value, at: now() };
    known.set(what, entry);
    return Math.max(0, Math.round((now() - entry.at) / 1000));
  };
}

function words({ state, carrying }: UplinkStatus): string {
  return carrying === null ? state : `${state} through ${carrying.uplink} and ${carrying.hub}`;
}
