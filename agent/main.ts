import { randomFillSync } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Reading } from '#contracts/documents.ts';
import type { HealthReport } from '#contracts/health.ts';
import { type ReaderId, typedReader } from '#contracts/names.ts';
import type { OfficerName } from '#contracts/outbox.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { bytes, type MonotonicTime, ms, seconds, wall } from '#contracts/units.ts';
import type { Static } from 'typebox';
import { type Clock, instant, readBootId } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { LogRing } from '#runtime/log-ring.ts';
import { TrustedTime } from '#runtime/trusted-time.ts';
import { askUplink } from '#runtime/uplink-client.ts';
import { uuid7 } from '#runtime/uuid.ts';
import { createAudit } from './audit/index.ts';
import { createActions, startCommands } from './commands/index.ts';
import { brokerTakes, type Configuration, lookupsTaken } from './configuration/index.ts';
import { type CalendarDay, readDocument, readEntry } from './documents/index.ts';
import { type EditionEvent, startEditions } from './editions/index.ts';
import { type Fleet, SessionNumbers, startFleet } from './fleet/index.ts';
import { Counts, createHealth } from './health/index.ts';
import { readAgentKeys } from './keys.ts';
import { askingOf } from './metered.ts';
import {
  CentralClient,
  Enquiries,
  type Happening,
  KeptLookups,
  type Stage,
  stampOf,
} from './lookup/index.ts';
import { startOfficerServer } from './officer/index.ts';
import { createOutbox } from './outbox/index.ts';
import { chooseProfiles, type Frame, pluggedIn, Readers, type Signal } from './readers/index.ts';
import { openStoreOrSetAside, Reserve } from './store/index.ts';
import { watchHelper } from './uplink/index.ts';

/** What the agent is given from outside itself. */
export interface AgentParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly version: string;
  /** Folder of the built officer's page. */
  readonly pageDir: string;
  /** File of the thread that works on editions. */
  readonly editionWorker: string;
  /** The configuration of the centre over several starts of this agent; without it, `settings` are all there is. */
  readonly configuration?: Configuration;
  /** The last lines of the log, for a diagnostic bundle. */
  readonly logRing?: LogRing;
  /** Closes this agent and starts it again; without it, such a command is carried out by nobody. */
  readonly restart?: () => void;
  /** For the benchmark: each stage of the way of a frame with its milliseconds. */
  readonly observe?: (stage: Stage | 'framing' | 'parse', millis: number) => void;
}

export interface Agent {
  /** Where the officer's page is served. */
  readonly officerUrl: string;
  /** Resolves when no document waits for its verdict any more; what is read meanwhile is not waited for. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The composition root of the agent: reads what it is given, builds the parts, connects them and starts them in this
 * order, so that nothing can be shown before it can be recorded; `close` stops them in the reverse order.
 */
export async function startAgent(settings: AgentSettings, parts: AgentParts): Promise<Result<Agent>> {
  const { clock, random, log } = parts;
  const closers: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
  };
  const refuse = async <T extends { readonly ok: false }>(result: T): Promise<T> => {
    await stop();
    return result;
  };

  // What the settings name must be there before anything is opened.
  const profiles = chooseProfiles(settings.readers, settings.profiles);
  if (!profiles.ok) return profiles;

  // Keys and store.
  const keys = readAgentKeys(settings);
  if (!keys.ok) return keys;
  mkdirSync(settings.state, { recursive: true, mode: 0o700 });
  const reserve = new Reserve(`${settings.state}/reserve`, bytes(settings.audit.reserveBytes));
  const opened = openStoreOrSetAside(settings.state, 'checkpost.db', clock.wall(), { reserve });
  if (!opened.ok) return opened;
  const { store, setAside } = opened.value;
  closers.push(() => store.close());
  const reserved = reserve.take();
  if (!reserved.ok) log.error('No space is kept for the record', faultFields(reserved.fault));

  // Time.
  const boot = readBootId();
  const time = new TrustedTime({
    clock,
    boot,
    memory: {
      read: () => store.meta('time.anchor'),
      // A disk that is full costs the floor of the next start, never the answer that brought the time.
      write: (value) => void store.transaction(() => store.setMeta('time.anchor', value)),
    },
  });
  const stamp = () => stampOf(time, clock, boot);

  // The record and what is owed, in one transaction.
  const audit = createAudit(store, keys.value.auditSeal);
  const outbox = createOutbox({
    store,
    sealingKey: keys.value.seal.key,
    budget: bytes(settings.outbox.megabytes * 1_000_000),
  });
  const recorder = {
    record({ event, stamp: at, owed, keep }: Happening): Result<void> {
      return store.transaction(() => {
        const head = audit.append(event, at);
        for (const item of owed) outbox.owe(item, at);
        if (head.seq % settings.audit.headEvery === 0) {
          outbox.owe({ kind: 'audit-head', entry: head.seq, hash: head.hash.toString('hex') }, at);
        }
        keep?.();
      });
    },
  };
  if (setAside !== undefined)
    log.error('The database was damaged and set aside', { code: 'STORE_CORRUPT', file: setAside });
  const started = recorder.record({
    event: { kind: 'started', version: parts.version, ...(setAside !== undefined && { setAside }) },
    stamp: stamp(),
    owed: setAside === undefined ? [] : [{ kind: 'store-replaced', file: setAside }],
  });
  if (!started.ok) log.error('The start could not be recorded', faultFields(started.fault));

  // The offline copy.
  const asking = askingOf(settings);
  const editions = await startEditions({
    settings: { ...settings.edition, pollSeconds: asking.pollEvery / 1000 },
    centralUrl: settings.central.url,
    tls: keys.value.tls,
    root: keys.value.editionsRoot,
    terminal: settings.terminal,
    keys: {
      enrolled: keys.value.fingerprints,
      trusted: keys.value.trusted,
      wrapping: keys.value.wrapping,
    },
    clock,
    now: () => time.least(),
    verified: () => time.verified(),
    linkIsUp: () => central.state() !== 'down',
    worker: parts.editionWorker,
    log: log.with({ room: 'editions' }),
    report: (event) => {
      const done = recorder.record({ ...happeningOf(event), stamp: stamp() });
      if (!done.ok) log.error('What happened to the edition could not be recorded', faultFields(done.fault));
    },
    onChange: () => {
      dated();
      changed();
    },
  });
  if (!editions.ok) return refuse(editions);
  closers.push(() => editions.value.close());
  const edition = editions.value;
  // The signed date of an edition is a floor of the time.
  const dated = (): void => {
    const now = edition.current()?.describe();
    if (now !== undefined) time.atLeast(wall(Date.parse(now.date)));
  };
  dated();

  // Lookups.
  const central = new CentralClient({
    url: settings.central.url,
    deadline: ms(settings.central.deadlineMillis),
    probeEvery: asking.probeEvery,
    retry: ms(settings.central.retryMillis),
    tls: keys.value.tls,
    clock,
    random,
    log: log.with({ room: 'lookup' }),
    onTime: (answer, received, roundTrip) => {
      // The answer was made at some moment of the round trip; its middle is the best guess, and a slow one is none.
      if (roundTrip < 10_000) time.verify(wall(Date.parse(answer.time) + roundTrip / 2), received);
    },
  });
  closers.push(() => central.close());
  central.onState((state) => {
    if (state === 'up') edition.linkIsUp();
  });
  const lookups = new Set<(view: LookupView) => void>();
  const terminals = new Set<(view: TerminalView) => void>();
  const officer = (): Static<typeof OfficerName> => 'unassigned';
  const counts = new Counts();
  const enquiries = new Enquiries({
    central,
    edition: () => edition.current(),
    recorder,
    kept: new KeptLookups({ store, key: keys.value.seal.key, log: log.with({ room: 'lookup' }) }),
    time,
    clock,
    stamp,
    newId: () => uuid7(time.now(), (into) => randomFillSync(into)),
    digest: keys.value.auditDigest,
    officer,
    policy: {
      maxAge: seconds(settings.policy.editionMaxAgeSeconds),
      cacheMaxAge: seconds(settings.policy.cacheMaxAgeSeconds),
      repeat: ms(settings.policy.repeatMillis),
    },
    log: log.with({ room: 'lookup' }),
    show: (view) => {
      for (const listener of lookups) listener(view);
    },
    concluded: (view) => {
      if (view.verdict !== null) counts.verdict(view.verdict.kind);
      const signal = signalOf(view);
      if (signal !== undefined) readers.find(view.reader)?.signal(signal);
    },
    ...(parts.observe !== undefined && { observe: parts.observe }),
  });
  closers.push(() => enquiries.close());

  const today = (): CalendarDay => {
    const now = new Date(time.now());
    return { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1, day: now.getUTCDate() };
  };
  const asked = new Set<Promise<void>>();
  const take = (reading: Reading, reader: ReaderId, receivedAt: MonotonicTime): void => {
    const one = enquiries
      .take(reading, reader, receivedAt)
      .catch((thrown: unknown) => {
        log.error('A lookup failed', {
          code: 'INTERNAL',
          detail: thrown instanceof Error ? thrown.message : 'unknown',
        });
      })
      .finally(() => asked.delete(one));
    asked.add(one);
  };

  // Readers, which open when there is a page to show what they read.
  const onFrame = (frame: Frame): void => {
    const began = clock.monotonic();
    counts.frame();
    parts.observe?.('framing', began - frame.receivedAt);
    const reading: Reading = frame.damaged
      ? { kind: 'unreadable', reason: 'damaged', spots: [] }
      : readDocument(frame.bytes, today());
    parts.observe?.('parse', clock.monotonic() - began);
    take(reading, frame.reader, frame.receivedAt);
  };
  const readers = new Readers({
    settings,
    profiles: profiles.value,
    clock,
    random,
    log: log.with({ room: 'readers' }),
    listener: { frame: onFrame, state: () => changed(), fault: () => changed() },
  });

  // The officer's page.
  const terminal = (): TerminalView => {
    const source = edition.current()?.describe();
    const age = source === undefined ? undefined : time.ageOf(wall(Date.parse(source.date)));
    return {
      terminal: settings.terminal,
      site: settings.site,
      demo: settings.demo,
      clock: time.state,
      time: instant(time.now()),
      link: central.state(),
      readers: readers.all().map((reader) => ({
        id: reader.id,
        state: reader.state(),
        trigger: reader.canTrigger,
        ...(reader.about() !== '' && { about: reader.about().slice(0, 200) }),
      })),
      edition:
        source === undefined || age === undefined
          ? null
          : {
              source: {
                collection: source.collection,
                version: source.version,
                date: source.date,
                count: source.count,
              },
              age,
              tooOld: age.seconds > settings.policy.editionMaxAgeSeconds,
              aging: age.seconds > settings.policy.editionWarnAgeSeconds,
              damaged: edition.state().damaged,
            },
      owed: outbox.depth(),
    };
  };
  // Started last, since it reports on all the others.
  let fleet: Fleet | undefined;
  let closed = false;
  const changed = (): void => {
    if (closed) return;
    for (const listener of terminals) listener(terminal());
    fleet?.changed();
  };
  central.onState(changed);
  const page = await startOfficerServer({
    host: settings.officer.host,
    port: settings.officer.port,
    pageDir: parts.pageDir,
    log: log.with({ room: 'officer' }),
    clock,
    desk: {
      terminal,
      lookups: () => enquiries.views(),
      acknowledge: (lookup: string, outcome: HitOutcome) => enquiries.acknowledge(lookup, outcome),
      checkEntry: (entry) => readEntry(entry, today()).check,
      enter(entry) {
        const { reading } = readEntry(entry, today());
        if (reading === undefined) return fail('REQUEST_INVALID', 'There is not enough yet to search for.');
        take(reading, typedReader, clock.monotonic());
        return ok(undefined);
      },
      trigger(id) {
        const reader = readers.find(id);
        if (reader?.canTrigger !== true)
          return fail('NOT_FOUND', 'No reader of this name waits for a trigger.');
        return reader.trigger();
      },
      subscribe(listener) {
        const lookup = (view: LookupView): void => listener.lookup(view);
        const state = (view: TerminalView): void => listener.terminal(view);
        lookups.add(lookup);
        terminals.add(state);
        return () => {
          lookups.delete(lookup);
          terminals.delete(state);
        };
      },
    },
  });
  if (!page.ok) return refuse(page);
  closers.push(() => page.value.close());

  // From here on documents are answered.
  closers.push(() => readers.close());
  readers.open();

  // What the helper of the uplink says; without it everything else works as before.
  const uplink = watchHelper({
    socket: settings.uplink.socket,
    clock,
    random,
    log: log.with({ room: 'uplink' }),
    onChange: changed,
  });
  closers.push(() => uplink.close());

  // The configuration that the centre wants: on probation until the centre has been reached with it.
  const { configuration } = parts;
  const tellConfiguration = (): void => {
    const number = fleet?.session();
    if (configuration !== undefined && number !== undefined)
      fleet?.report(JSON.stringify(configuration.reported(number)));
    changed();
  };
  const desired = configuration?.attach({
    readers: () =>
      settings.readers.map(({ id, device }) => ({
        id,
        device,
        state: readers.find(id)?.state() ?? 'absent',
      })),
    present: async (old) => pluggedIn(old),
    connected: () => fleet?.state() === 'connected',
    oldWorks: (old, hasSession) => brokerTakes(old, keys.value.tls, hasSession),
    lookups: () => central.state() === 'up',
    oldLookups: (old) => lookupsTaken(old, keys.value.tls),
    async applyUplink(envelope) {
      const { socket } = settings.uplink;
      if (socket === null) return fail('UPLINK_ABSENT', 'This machine has no uplink of ours.');
      const ask = { verb: 'apply', envelope: { ...envelope } } as const;
      const done = await askUplink(socket, ask, { timeout: ms(10_000), clock });
      return done.ok ? ok(undefined) : done;
    },
    onEvent({ version, state, code }) {
      const event = { kind: 'configuration', version, state, ...(code !== undefined && { code }) } as const;
      const done = recorder.record({ event, stamp: stamp(), owed: [event] });
      if (!done.ok)
        log.error('What became of a configuration could not be recorded', faultFields(done.fault));
    },
    changed: tellConfiguration,
  });

  // Health, after everything that it reports on.
  let takenOver = false;
  const health = createHealth({
    stateFolder: settings.state,
    version: parts.version,
    log: log.with({ room: 'health' }),
    clock,
    bootId: boot,
    now: () => instant(time.now()),
    clockState: () => ({ state: time.state, offsetMillis: time.offset() }),
    readers: () => readers.all().map((reader) => ({ id: reader.id, state: reader.state() })),
    edition: () => terminal().edition,
    editionState: () => ({
      damaged: edition.state().damaged,
      refused: edition.state().refused !== undefined,
    }),
    outbox: () => ({ depth: outbox.depth(), oldestAt: outbox.oldestAt() ?? null }),
    outboxThinned: () => outbox.thinned(),
    audit: () => ({ entries: audit.head().seq }),
    link: () => central.state(),
    uplink: () => uplink.view(),
    recordingFails: () => enquiries.recordingFails || store.broken(),
    storeReplaced: () => setAside !== undefined,
    counts: () => counts.now(),
    configuration: () => configuration?.view() ?? { version: 0, state: 'current' },
    sessionTakenOver: () => takenOver,
    certificate: keys.value.tls.certificate,
    onDue: changed,
  });
  closers.push(() => health.close());
  let measured: HealthReport | null = null;
  const measuring = {
    now: () => health.now(),
    measure: async () => (measured = await health.measure()),
  };

  // Commands of the centre.
  const commands = startCommands({
    terminal: settings.terminal,
    boot,
    trusted: keys.value.trusted,
    session: () => fleet?.session(),
    record: (happening) => recorder.record({ ...happening, stamp: stamp() }),
    memory: {
      read: () => store.meta('commands'),
      write: (text) => store.setMeta('commands', text),
    },
    answer: (result, correlation) =>
      void fleet?.answer(JSON.stringify(result), correlation === undefined ? {} : { correlation }),
    clock,
    log: log.with({ room: 'commands' }),
    actions: createActions({
      clock,
      report: () =>
        fleet?.reportNow() ??
        Promise.resolve(fail('BROKER_UNREACHABLE', 'There is no session with the controller.')),
      bundle: {
        terminal: settings.terminal,
        boot,
        now: () => instant(time.now()),
        versions: () => ({ checkpost: parts.version, node: process.version }),
        status: terminal,
        health: () => measured,
        uplink: () => uplink.view(),
        configuration: () => settings,
        log: parts.logRing ?? new LogRing(),
      },
      upload: {
        url: settings.central.url,
        tls: keys.value.tls,
        random,
        log: log.with({ room: 'commands' }),
      },
      probe: (id, signal) => readers.probe(id, signal),
      restart: () => parts.restart?.(),
      rebootFile: `${settings.state}/reboot`,
      rotate: (signal) =>
        settings.uplink.socket === null
          ? Promise.resolve(fail('COMMAND_UNSUPPORTED', 'This terminal has no uplink of ours.'))
          : askUplink(settings.uplink.socket, { verb: 'rotate' }, { timeout: ms(150_000), signal, clock }),
      rebuild: () => edition.rebuild(),
      drill: () => enquiries.drill(),
    }),
  });
  closers.push(() => commands.close());

  // The session with the controller, last.
  const sessions = new SessionNumbers({
    read: () => Number(store.meta('fleet.session') ?? '0'),
    write: (through) => store.transaction(() => store.setMeta('fleet.session', String(through))),
  });
  closers.push(() => desired?.close());
  const session = startFleet({
    settings: settings.fleet,
    tls: keys.value.tls,
    terminal: settings.terminal,
    version: parts.version,
    bootId: boot,
    outbox,
    session: () => sessions.next(),
    health: measuring,
    reported: (number) => configuration && JSON.stringify(configuration.reported(number)),
    onDesired: (text) => {
      // An empty retained message takes away the one before: it wants nothing.
      if (text !== '') void desired?.take(text);
    },
    onCommand: (text, { correlation }) =>
      commands.take({ text, ...(correlation !== undefined && { correlation }) }),
    onTakenOver: (taken) => {
      takenOver = taken;
      changed();
    },
    keep: (sample) => {
      const at = stamp();
      const kept = store.transaction(() => outbox.owe(sample, at));
      if (!kept.ok) log.warn('A sample of the outage could not be kept', faultFields(kept.fault));
    },
    clock,
    log: log.with({ room: 'fleet' }),
    random,
  });
  fleet = session;
  closers.push(() => session.close());
  closers.push(session.onReached(() => desired?.reached()));

  // Housekeeping that must never stand on the way of a frame.
  const tidy = (): void => {
    store.checkpoint();
    if (!reserve.isTaken()) reserve.take();
    changed();
    cancelTidy = clock.after(ms(60_000), tidy);
  };
  let cancelTidy = clock.after(ms(60_000), tidy);
  closers.push(() => cancelTidy());

  return ok({
    officerUrl: page.value.url,
    async idle() {
      await Promise.all(asked);
    },
    async close() {
      closed = true;
      await stop();
    },
  });
}

/** What happened to the offline copy, for the record and the centre. */
function happeningOf(event: EditionEvent): Pick<Happening, 'event' | 'owed'> {
  switch (event.kind) {
    case 'edition-in-use':
      return { event: { kind: event.kind, edition: event.edition }, owed: [event] };
    case 'edition-refused':
      return {
        event: { kind: event.kind, code: event.fault.code },
        owed: [{ kind: event.kind, code: event.fault.code }],
      };
    case 'edition-damaged':
    default: {
      const { kind, edition } = event;
      return { event: { kind, edition, code: event.fault.code }, owed: [{ kind, edition }] };
    }
  }
}

/** What a reader's light and beep say of a final verdict; how much of it is heard, its settings decide. */
function signalOf({ verdict }: LookupView): Signal | undefined {
  if (verdict === null) return undefined;
  if (verdict.kind === 'unreadable') return 'again';
  return verdict.kind === 'no-record' ? 'read' : 'attention';
}
