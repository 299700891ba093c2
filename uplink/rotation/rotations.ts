import type { Fault } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { pause } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { hubsOf, type Slot } from '../keys/slots.ts';
import { type RotationOutcome, type RotationParts, rotateSlot } from './rotation.ts';

/** How a slot is, as the status tells it. */
export interface SlotRotation {
  readonly state: 'current' | 'rotating' | 'failed';
  /** Why it is not through yet, in words; empty where nothing is wrong. */
  readonly detail: string;
}

/** Changes of key that go on by themselves until they are through, one at a time. */
export interface Rotations {
  /** Brings new keys into force, in this order. Settles when each was tried once; what is left goes on by itself. */
  rotate(slots: readonly Slot[]): Promise<ReadonlyMap<Slot, RotationOutcome>>;
  /** Goes on with every slot that has a new key on disk: called once, at the start. */
  resume(): void;
  /** Tries at once what waits: a line or a hub has come back. */
  retry(): void;
  state(slot: Slot): SlotRotation;
  close(): Promise<void>;
}

interface RotationsParts extends Omit<RotationParts, 'signal'> {
  /** Names of all hubs of the settings. */
  readonly hubs: readonly string[];
  readonly random: () => number;
  /** Called before each attempt: moves the traffic away from the slot, where there is another way. */
  readonly prepare?: (slot: Slot) => Promise<void>;
}

const soon = { first: ms(1000), last: ms(600_000) };
const later = { first: ms(3_600_000), last: ms(24 * 3_600_000) };

export function createRotations(parts: RotationsParts): Rotations {
  const stopping = new AbortController();
  const running = new Map<Slot, { readonly first: Promise<RotationOutcome>; readonly over: Promise<void> }>();
  const states = new Map<Slot, SlotRotation>();
  let turn: Promise<unknown> = Promise.resolve();
  let woken = new AbortController();

  /** One attempt, after all that were asked for before it. */
  function attempt(slot: Slot): Promise<RotationOutcome> {
    const mine = turn.then(async (): Promise<RotationOutcome> => {
      try {
        await parts.prepare?.(slot);
        return await rotateSlot(slot, hubsOf(slot, parts.hubs), { ...parts, signal: stopping.signal });
      } catch (thrown) {
        // A defect in one slot must not end the tunnels of all.
        return { kind: 'waiting', fault: toFault(thrown) };
      }
    });
    turn = mine;
    return mine;
  }

  function start(slot: Slot): Promise<RotationOutcome> {
    const before = running.get(slot);
    if (before !== undefined) {
      woken.abort();
      woken = new AbortController();
      return before.first;
    }
    states.set(slot, { state: 'rotating', detail: '' });
    const first = attempt(slot);
    const over = keepOn(slot, first).finally(() => running.delete(slot));
    running.set(slot, { first, over });
    return first;
  }

  async function keepOn(slot: Slot, first: Promise<RotationOutcome>): Promise<void> {
    const pauses = {
      waiting: new Backoff(soon.first, soon.last, parts.random),
      failed: new Backoff(later.first, later.last, parts.random),
    };
    let outcome = await first;
    while (outcome.kind !== 'final' && !stopping.signal.aborted) {
      note(slot, outcome.kind, outcome.fault);
      await sleep(pauses[outcome.kind].next());
      if (stopping.signal.aborted) return;
      outcome = await attempt(slot);
    }
    if (outcome.kind !== 'final') return;
    states.set(slot, { state: 'current', detail: '' });
    parts.log.info('A new key is in force', { slot });
  }

  function note(slot: Slot, kind: 'waiting' | 'failed', fault: Fault): void {
    const before = states.get(slot);
    const state = kind === 'failed' ? 'failed' : 'rotating';
    const next: SlotRotation = { state, detail: fault.detail };
    states.set(slot, next);
    // The same again is no news.
    if (before?.state !== next.state || before.detail !== next.detail)
      parts.log.warn('A new key is not in force yet', { slot, ...faultFields(fault) });
  }

  async function sleep(delay: Millis): Promise<void> {
    await pause(parts.clock, delay, AbortSignal.any([woken.signal, stopping.signal]));
  }

  return {
    async rotate(slots) {
      const outcomes = slots.map(async (slot) => [slot, await start(slot)] as const);
      return new Map(await Promise.all(outcomes));
    },
    resume() {
      for (const slot of parts.store.slots) {
        const view = parts.store.view(slot);
        if (view.ok && view.value.next !== null) void start(slot);
      }
    },
    retry() {
      woken.abort();
      woken = new AbortController();
    },
    state: (slot) => states.get(slot) ?? { state: 'current', detail: '' },
    async close() {
      stopping.abort();
      await Promise.all([...running.values()].map(({ over }) => over));
    },
  };
}
