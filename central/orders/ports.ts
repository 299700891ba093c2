import type { KeyObject } from 'node:crypto';
import type { OperatorAuditRow } from '#contracts/api/accounts.ts';
import type { TimelineEvent } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { Db, RegistryWatch, WriteTx } from '../store/index.ts';

export interface PublishOptions {
  readonly retain: boolean;
  /** The broker drops it when nobody took it within this time. */
  readonly expirySeconds?: number;
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** The way to the broker, QoS 1. */
export interface OrderLink {
  /** Resolves when the broker has it. Faults: BROKER_UNREACHABLE, BROKER_REFUSED. */
  publish(topic: string, payload: string, options: PublishOptions): Promise<Result<void>>;
  /** Calls back whenever a session with the broker has begun; the answer ends that. */
  onConnected(listener: () => void): () => void;
}

/** Writes into the audit of operators, in the transaction of the change. */
export type Audit = (tx: WriteTx, entry: Omit<OperatorAuditRow, 'id'>) => Promise<void>;
/** Something for the timeline; the rooms that keep it know who may see it by the bureau. */
export type NewEvent = Omit<TimelineEvent, 'id' | 'deviceAt'> & { readonly bureau: string | null };
/** Writes into the timeline, in the transaction of what happened. */
export type AddEvent = (tx: WriteTx, event: NewEvent) => Promise<void>;

/** Who says it, and when the controller received it. */
export interface From {
  readonly terminal: string;
  readonly now: string;
}

/** The controller's online key. */
export interface Signer {
  readonly id: string;
  readonly key: KeyObject;
}

export interface OrdersParts {
  readonly db: Db;
  readonly registry: Pick<RegistryWatch, 'find' | 'all'>;
  readonly link: OrderLink;
  /** Number of the session that the terminal has now; undefined while it has none. */
  readonly session: (terminal: string) => number | undefined;
  readonly audit: Audit;
  readonly addEvent: AddEvent;
  readonly signer: Signer;
  readonly trusted: readonly TrustedKey[];
  readonly clock: Clock;
  /** Fills the bytes given. */
  readonly random: (bytes: Uint8Array) => Uint8Array;
  readonly log: Log;
  /** What ended is kept for so many days. */
  readonly keepDays: number;
  /** So many configurations are published within a second at most. */
  readonly desiredPerSecond?: number;
}
