import type { TerminalId } from '#contracts/names.ts';
import type { MetricItem } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { openMqttLink } from '#runtime/mqtt-link.ts';
import type { Health } from '../health/index.ts';
import type { Outbox } from '../outbox/index.ts';

export interface FleetParts {
  readonly settings: AgentSettings['fleet'];
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly terminal: TerminalId;
  readonly version: string;
  readonly bootId: string;
  readonly outbox: Outbox;
  /** The next session's number: durable, and higher than any before. */
  readonly session: () => Result<number>;
  readonly health: Health;
  /** What came on topic `desired`, at the start of each session and at each change. It is not trusted yet. */
  readonly onDesired?: (text: string) => void;
  /** What came on topic `command`. It is not trusted yet. */
  readonly onCommand?: (text: string, about: CommandAbout) => void;
  /** What is said on topic `reported` (retained) at the start of a session; `report` says it at any later time. */
  readonly reported?: (session: number) => string | undefined;
  /** Somebody else connected with this terminal's identity: true when it was seen, false when a session stood since. */
  readonly onTakenOver?: (taken: boolean) => void;
  /** Keeps a sample of the time without a session, durably; left out, none are taken. */
  readonly keep?: (sample: MetricItem) => void;
  /** How a connection is made; over MQTT with mutual TLS where left out. Whoever plays terminals can cut one off by it. */
  readonly open?: typeof openMqttLink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** What came with a command and goes back with its answer (MQTT 5.0 section 4.10). */
export interface CommandAbout {
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

export type FleetState = 'connected' | 'disconnected';

export interface Fleet {
  state(): FleetState;
  /** Number of the session that stands now; undefined where there is none. */
  session(): number | undefined;
  /** Something that health reports on may have changed. */
  changed(): void;
  /** Measures everything and sends a full report; resolves when the broker has it. BROKER_UNREACHABLE without a session. */
  reportNow(): Promise<Result<void>>;
  /** Says on topic `reported` (retained) what runs: now, and at the start of every session from now on. */
  report(text: string): void;
  /** Sends to topic `command/result`; BROKER_UNREACHABLE where there is no session. */
  answer(text: string, about: Pick<CommandAbout, 'correlation'>): Promise<Result<void>>;
  /** Calls `listener` whenever the controller has acknowledged something; the answer ends it. */
  onReached(listener: () => void): () => void;
  /** Says goodbye where there is a session, and ends. */
  close(): Promise<void>;
}
