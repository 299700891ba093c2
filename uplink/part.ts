import type { Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { Notifier } from '#runtime/sd-notify.ts';

/**
 * Which half of the uplink a process is. `outer` lives where the physical interfaces are: it creates the tunnels
 * there, so that their encrypted packets leave there, moves them into the namespace of the agent, measures the
 * uplinks and decides; `inner` lives in that namespace and makes it what the outer half says (an interface can only be
 * configured from inside).
 */
export type Part = (typeof parts)[number];
export const parts = ['outer', 'inner'] as const;

/** What a half is given from outside itself. */
export interface UplinkParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly children: Children;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly version: string;
  /** When this program was built: no time before it is believed. */
  readonly builtAt: number;
  /** Aborted when it is to stop: starting then ends early. */
  readonly signal: AbortSignal;
}

/** A half that runs. */
export interface Running {
  /** Settles with a fault where it cannot go on; the service manager then starts it anew. */
  readonly ended: Promise<Result<void>>;
  close(): Promise<void>;
}
