import { X509Certificate } from 'node:crypto';
import { causes, gravestFirst } from '#contracts/conditions.ts';
import type { HealthReport, ReaderState } from '#contracts/health.ts';
import type { ReaderId } from '#contracts/names.ts';
import type { Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import type { CollectionState } from '#contracts/verdict.ts';
import { type Clock, instant, readBootId, systemClock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { conditionsOf } from './conditions.ts';
import type { Found } from './found.ts';
import { type MachineFacts, type MachineParts, openMachine } from './machine.ts';
import { StandingConditions } from './standing.ts';
import { StartKeeper } from './start.ts';
import { uplinkHealth, type UplinkFacts } from './uplink.ts';

/** What health is told by the parts of the agent; each answers at once. What is left out is not told, and never amiss. */
export interface HealthParts {
  readonly stateFolder: string;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** The kernel's id of this boot. */
  readonly bootId?: string;
  /** Where the kernel's files are; left out, /sys and /proc. */
  readonly roots?: Pick<MachineParts, 'sys' | 'proc' | 'osRelease'>;
  /** Trusted time as an instant. */
  readonly now: () => string;
  readonly clockState: () => HealthReport['clock'];
  readonly readers: () => readonly { readonly id: ReaderId; readonly state: ReaderState }[];
  readonly edition: () => {
    readonly source: CollectionState;
    readonly tooOld: boolean;
    readonly aging: boolean;
  } | null;
  /** What stands against the edition. */
  readonly editionState: () => { readonly damaged: boolean; readonly refused: boolean };
  readonly outbox: () => HealthReport['outbox'];
  /** Whether metrics had to be thinned out, and still have gaps that the centre does not know. */
  readonly outboxThinned?: () => boolean;
  readonly audit: () => HealthReport['audit'];
  readonly link: () => 'up' | 'down' | 'unknown';
  readonly uplink: () => UplinkFacts;
  readonly recordingFails: () => boolean;
  readonly storeReplaced: () => boolean;
  /** Frames and verdicts since the agent started (`Counts`). */
  readonly counts?: () => HealthReport['counts'];
  /** The configuration that runs. */
  readonly configuration?: () => HealthReport['configuration'];
  /** Whether the broker gave our session to another connection lately (MQTT 5.0 reason 0x8E). */
  readonly sessionTakenOver?: () => boolean;
  /** Certificate of this terminal, PEM. */
  readonly certificate: string;
  /** Called when a condition has stood for its delay: measure now, the next turn may be far. */
  readonly onDue?: () => void;
}

export interface Health {
  /** Measures everything; what the machine does not tell keeps its last figure. Never rejects. */
  measure(): Promise<HealthReport>;
  now(): string;
}

export interface RunningHealth extends Health {
  /** Notes that this run is stopped in order: else the next boot counts as unexpected. */
  close(): Promise<void>;
}

/** The contract takes no more. */
const mostConditions = 64;

const nothingMeasured: MachineFacts = {
  uptime: { systemSeconds: 0, agentSeconds: 0 },
  load: { one: 0, cpus: 1 },
  memory: { totalBytes: 0, availableBytes: 0, agentBytes: 0 },
  disk: { totalBytes: 0, freeBytes: 0 },
  temperature: null,
  traffic: null,
  power: null,
  storage: { wearPercent: null, fileSystemErrors: null },
  watchdog: false,
};

const nothingCounted = { frames: 0, hit: 0, possible: 0, noRecord: 0, unresolved: 0, unreadable: 0 };

export function createHealth(parts: HealthParts): RunningHealth {
  const { stateFolder, log, clock = systemClock, bootId = readBootId() } = parts;
  const machine = openMachine({ stateFolder, clock, ...parts.roots });
  const keeper = new StartKeeper({ stateFolder, boot: bootId });
  const note = (done: Result<void>): void => {
    if (!done.ok) log.warn('How this run goes cannot be noted', faultFields(done.fault));
  };
  const begun = keeper.begin().then(note);
  const standing = new StandingConditions();
  const expires = Date.parse(new X509Certificate(parts.certificate).validTo);
  let facts = nothingMeasured;
  let found: readonly Found[] = [];
  let cancel = (): void => {};
  let closed = false;

  const measureMachine = async (): Promise<void> => {
    try {
      facts = await machine.facts();
    } catch (thrown) {
      log.warn('The machine could not be measured', { detail: (thrown as Error).message });
    }
  };
  /** What stands, less what another one explains; and a call when the next one has stood for long enough. */
  const shown = (now: string): HealthReport['conditions'] => {
    const at = clock.monotonic();
    const conditions = gravestFirst(causes(standing.update(found, now, at))).slice(0, mostConditions);
    cancel();
    const due = standing.dueIn(at);
    if (due !== undefined && parts.onDue !== undefined && !closed) cancel = clock.after(due, parts.onDue);
    return conditions;
  };

  return {
    now: parts.now,
    async measure() {
      await Promise.all([measureMachine(), begun]);
      const { watchdog, ...ofMachine } = facts;
      const now = parts.now();
      const edition = parts.edition();
      const editionState = parts.editionState();
      const uplink = parts.uplink();
      const sections = {
        ...ofMachine,
        clock: parts.clockState(),
        readers: parts.readers().map(({ id, state }) => ({ id, state })),
        outbox: parts.outbox(),
        start: { unexpected: keeper.unexpected, watchdog },
        configuration: parts.configuration?.() ?? { version: 0, state: 'current' },
      } as const;
      found = conditionsOf(
        {
          ...sections,
          now: Date.parse(now),
          link: parts.link(),
          edition,
          editionDamaged: editionState.damaged,
          editionRefused: editionState.refused,
          recordingFails: parts.recordingFails(),
          storeReplaced: parts.storeReplaced(),
          outboxThinned: parts.outboxThinned?.() ?? false,
          sessionTakenOver: parts.sessionTakenOver?.() ?? false,
          certificateDaysLeft: (expires - Date.parse(now)) / 86_400_000,
          uplink,
        },
        found,
      );
      return {
        versions: { checkpost: parts.version, node: process.versions.node, os: machine.os },
        ...sections,
        edition: edition?.source ?? null,
        audit: parts.audit(),
        uplink: uplinkHealth(uplink),
        counts: parts.counts?.() ?? nothingCounted,
        certificateExpires: instant(wall(expires)),
        conditions: shown(now),
      };
    },
    async close() {
      closed = true;
      cancel();
      await begun;
      note(await keeper.end());
    },
  };
}
