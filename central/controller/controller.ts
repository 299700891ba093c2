import type { TerminalState } from '#contracts/api/fleet.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { ms, seconds } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { openMqttLink } from '#runtime/mqtt-link.ts';
import type { Db, RegistryWatch } from '../store/index.ts';
import { FleetView } from './fleet/view.ts';
import { History } from './history/history.ts';
import { Timeline } from './history/timeline.ts';
import type { Consumer } from './ingest/consumer.ts';
import type { Counts } from './ingest/counts.ts';
import { Ingest } from './ingest/ingest.ts';
import { createLeaderTask, type LeaderTask } from './leader.ts';
import { readCredentials } from './link/credentials.ts';
import { type ControllerLink, keepAlone, keepShared, Session } from './link/session.ts';

export interface ControllerParts {
  /** Opened with `controllerSchema` among its tables. */
  readonly db: Db;
  readonly registry: RegistryWatch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Rooms that take part in what arrives. */
  readonly consumers: readonly Consumer[];
  /** The version of the configuration that is wanted for a terminal; 0 where none is. */
  readonly wanted: (terminal: string) => number;
  readonly inMaintenance: (terminal: string) => boolean;
  readonly counts: Counts;
}

/** What is known of the controller itself at this moment. */
export interface ControllerFacts {
  /** Its name at the broker: that of its certificate. */
  readonly instance: string;
  readonly brokerConnected: boolean;
  readonly terminals: Readonly<Record<TerminalState, number>>;
  /** Messages refused since the start, by reason. */
  readonly refused: Record<string, number>;
  /** Transactions and reads of the database that failed since the start. */
  readonly storeErrors: number;
}

/** The state of the fleet and what it owed, as it has arrived; and the session with the broker. */
export interface Controller {
  readonly link: ControllerLink;
  readonly fleet: FleetView;
  readonly timeline: Timeline;
  readonly history: History;
  /** What one controller does for all; run while this one leads. */
  readonly leaderTask: LeaderTask;
  facts(): ControllerFacts;
  /** Ends the session; what is being taken is committed or comes again. */
  close(): Promise<void>;
}

/**
 * Reads what is known of the fleet and begins to keep a session with the broker; a broker that is out of reach is tried
 * again for ever. Faults: those of the database, CREDENTIAL_UNREADABLE, CERTIFICATE_EXPIRED.
 */
export async function startController(
  settings: Pick<CentralSettings, 'tls' | 'controller'>,
  parts: ControllerParts,
): Promise<Result<Controller>> {
  const { db, registry, clock, random, log } = parts;
  const { url, certificate, key, retryMillis, keepAliveSeconds } = settings.controller;
  const tls = () => readCredentials({ authority: settings.tls.authority, certificate, key }, clock);
  const readable = tls();
  if (!readable.ok) return readable;
  const view = await FleetView.open(parts);
  if (!view.ok) return view;
  const fleet = view.value;
  const timeline = new Timeline(db);
  const { messagesPerSecond, timelineDays } = settings.controller;
  const ingest = new Ingest({ ...parts, messagesPerSecond });
  listenToOthers(fleet, ingest);
  const session = new Session({
    open: openMqttLink,
    url,
    tls,
    retry: ms(retryMillis),
    keepAlive: seconds(keepAliveSeconds),
    keepSession: db.kind === 'sqlite' ? keepAlone : keepShared,
    clock,
    random,
    log,
    take: (topic, payload) => ingest.take(topic, payload),
    onReached: () => ingest.reached(),
  });
  session.start();
  return ok({
    link: session,
    fleet,
    timeline,
    history: new History(parts),
    leaderTask: createLeaderTask({
      db,
      registry,
      fleet,
      ingest,
      timeline,
      timelineDays,
      reachedAt: () => session.reachedAt,
      clock,
      log,
    }),
    facts: () => ({
      instance: readable.value.name,
      brokerConnected: session.connected,
      terminals: fleet.counts(),
      refused: ingest.refused(),
      storeErrors: db.errors(),
    }),
    async close() {
      await session.close();
      await fleet.close();
    },
  });
}

/** What another controller took is heard of as well: it moved the time of the last word. */
function listenToOthers(fleet: FleetView, ingest: Ingest): void {
  const seen = new Map(fleet.terminals().map(({ terminal, lastSeen }) => [terminal, lastSeen]));
  fleet.subscribe({
    terminals(rows) {
      for (const { terminal, lastSeen } of rows) {
        if (seen.get(terminal) === lastSeen) continue;
        seen.set(terminal, lastSeen);
        ingest.heard(terminal);
      }
    },
  });
}
