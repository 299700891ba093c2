import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { Notifier } from '#runtime/sd-notify.ts';

/**
 * Which part of the tunnel a process makes. On a terminal the two halves are two units: `outer` creates the interface
 * where the physical interfaces are, so that its encrypted packets leave there, and moves it into the namespace of
 * the agent; `inner` runs in that namespace and gives it key, hubs, addresses and routes (an interface can only be
 * configured from inside). `whole` does both in one namespace: for a laptop, a test, a machine without an agent.
 */
export type Part = (typeof parts)[number];
export const parts = ['whole', 'outer', 'inner'] as const;

/** What the uplink is given from outside itself. */
export interface UplinkParts {
  readonly clock: Clock;
  readonly children: Children;
  readonly log: Log;
  readonly notifier: Notifier;
  /** Aborted when it is to stop: starting then ends early. */
  readonly signal: AbortSignal;
}
