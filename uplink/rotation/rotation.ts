import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { KeyStore, SlotView, Which } from '../keys/key-store.ts';
import { type Slot, wireSlot } from '../keys/slots.ts';
import type { HubClient } from './hub-client.ts';

/**
 * How far a new key has come; each step is on disk, here or at the hub, before the next one begins:
 *
 *     made ──► offered ──► switched ──► accepted ──► final
 *      │          │            │            │
 *     next is    every hub    the interface each hub  the old key
 *     on disk    takes both   uses next     has only  is gone
 *                keys                       next
 *
 * A process that is killed after any of them goes on from what the disk and the hubs say. Until `switched` the old key
 * is in use; a hub gives the old one up only when it has seen the new one at work.
 */
export type RotationStep = 'made' | 'offered' | 'switched' | 'accepted' | 'final';

export type RotationOutcome =
  | { readonly kind: 'final' }
  /** A hub could not be asked, or something here could not be done: worth trying again soon. */
  | { readonly kind: 'waiting'; readonly fault: Fault }
  /** The hubs did not take the new key: ROTATION_FAILED, and the one before is in use again. */
  | { readonly kind: 'failed'; readonly fault: Fault };

export interface RotationParts {
  readonly store: KeyStore;
  readonly client: Pick<HubClient, 'keys' | 'offer'>;
  /**
   * Gives the interface this key of the slot and the preshared keys that belong to it, both in one step, and sends
   * something through it, so that the handshake begins at once.
   */
  readonly applyKey: (slot: Slot, which: Which) => Promise<Result<void>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called after each step; what it throws goes to the caller, as if the process had been killed there. */
  readonly onStep?: (slot: Slot, step: RotationStep) => void;
}

/** How long after the switch a hub may take until it has the new key in force. */
const acceptWithin = ms(10_000);
const askAgain = ms(200);
/** A handshake with the new key may still be on its way when the old one is taken up again. */
const lateHandshake = ms(1000);

type Stand = 'accepted' | 'offered' | 'unknown';

/**
 * One attempt to bring a new key of the slot into force with these hubs: begins where there is no new key on disk, and
 * else goes on from where the last attempt or process stopped.
 */
export async function rotateSlot(
  slot: Slot,
  hubs: readonly string[],
  parts: RotationParts,
): Promise<RotationOutcome> {
  return new Attempt(slot, hubs, parts).run();
}

class Attempt {
  readonly #slot: Slot;
  readonly #hubs: readonly string[];
  readonly #parts: RotationParts;
  /** Those that have the new key in force. */
  readonly #accepted = new Set<string>();

  constructor(slot: Slot, hubs: readonly string[], parts: RotationParts) {
    this.#slot = slot;
    this.#hubs = hubs;
    this.#parts = parts;
  }

  async run(): Promise<RotationOutcome> {
    const made = await this.#make();
    if (!made.ok) return waiting(made.fault);
    const offered = await this.#offerAll(made.value);
    if (!offered.ok) return waiting(offered.fault);
    this.#reached('offered');
    const used = await this.#use('next');
    if (!used.ok) return waiting(used.fault);
    this.#reached('switched');
    const taken = await this.#awaitAccepted(made.value);
    if (taken.ok) return this.#finish();
    if (taken.fault.code !== 'ROTATION_FAILED') return waiting(taken.fault);
    return this.#goBack(made.value, taken.fault);
  }

  async #make(): Promise<Result<SlotView & { next: string }>> {
    const { store } = this.#parts;
    const fresh = store.view(this.#slot);
    if (!fresh.ok) return fresh;
    // Also for a hub that has been added to the settings since the key was made.
    const made = await store.makeNext(this.#slot, this.#hubs);
    if (!made.ok) return made;
    const view = store.view(this.#slot);
    if (!view.ok) return view;
    const { next } = view.value;
    if (next === null) return fail('INTERNAL', `${this.#slot}: the new key is gone`);
    if (fresh.value.next === null) this.#reached('made');
    return ok({ ...view.value, next });
  }

  /** Tells every hub that does not know it of the new key. All must know before the interface changes. */
  async #offerAll(view: SlotView & { next: string }): Promise<Result<void>> {
    let fault: Fault | undefined;
    for (const hub of this.#hubs) {
      const stand = await this.#offer(hub, view.next);
      if (!stand.ok) fault ??= stand.fault;
    }
    if (fault === undefined) return ok(undefined);
    // A hub that has it in force takes no other any more, so there is no way but on; it knew that all others knew.
    if (this.#accepted.size > 0 && view.applied === 'current') return ok(undefined);
    if (this.#accepted.size === 0) await this.#tryOther(view, fault);
    return { ok: false, fault };
  }

  async #offer(hub: string, next: string): Promise<Result<void>> {
    const { store, client } = this.#parts;
    const stand = await this.#ask(hub, next);
    if (!stand.ok) return stand;
    if (stand.value !== 'unknown') return ok(undefined);
    const presharedKey = store.presharedKeyText(this.#slot, hub, 'next');
    if (!presharedKey.ok) return presharedKey;
    if (presharedKey.value === null) return fail('INTERNAL', `${this.#slot}: no preshared key for ${hub}`);
    const slot = wireSlot(this.#slot);
    const offered = await client.offer(hub, { slot, publicKey: next, presharedKey: presharedKey.value });
    return offered.ok ? ok(undefined) : offered;
  }

  /**
   * A hub that is asked through the very tunnel whose key is being changed cannot say which key it takes: where no hub
   * answers, the other key is tried by turns. A tunnel of the agent is asked about elsewhere, and stays as it is.
   */
  async #tryOther({ applied, offered }: SlotView, { code }: Fault): Promise<void> {
    if (code !== 'HUB_UNREACHABLE' || !this.#slot.startsWith('probe-')) return;
    if (offered) await this.#use(applied === 'next' ? 'current' : 'next');
  }

  async #use(which: Which): Promise<Result<void>> {
    const { store, applyKey } = this.#parts;
    const kept = await store.setApplied(this.#slot, which);
    return kept.ok ? applyKey(this.#slot, which) : kept;
  }

  /** Asks until every hub has the new key in force; ROTATION_FAILED only where one answers that it has not. */
  async #awaitAccepted({ next }: { next: string }): Promise<Result<void>> {
    const { clock, signal } = this.#parts;
    const deadline = clock.monotonic() + acceptWithin;
    let fault: Fault | undefined;
    let refused = false;
    while (!signal.aborted) {
      fault = undefined;
      refused = false;
      for (const hub of this.#hubs.filter((one) => !this.#accepted.has(one))) {
        const stand = await this.#ask(hub, next);
        if (!stand.ok) fault ??= stand.fault;
        else if (stand.value !== 'accepted') refused = true;
      }
      if (this.#accepted.size === this.#hubs.length) return ok(undefined);
      if (clock.monotonic() >= deadline) break;
      await pause(clock, askAgain, signal);
    }
    if (signal.aborted) return fail('STOPPED', `${this.#slot}: stopped while the hubs were asked.`);
    if (this.#accepted.size === 0 && refused)
      return fail(
        'ROTATION_FAILED',
        `${this.#slot}: no handshake with the new key within ${acceptWithin} ms.`,
      );
    const left = this.#hubs.filter((hub) => !this.#accepted.has(hub)).join(', ');
    return fault === undefined
      ? fail('HUB_UNREACHABLE', `${this.#slot}: no handshake with the new key yet: ${left}.`)
      : { ok: false, fault };
  }

  async #goBack(view: { next: string }, fault: Fault): Promise<RotationOutcome> {
    const { clock, signal, log } = this.#parts;
    log.warn('A new key was not accepted; the one before is used again', {
      slot: this.#slot,
      ...faultFields(fault),
    });
    const back = await this.#use('current');
    if (!back.ok) return waiting(back.fault);
    await pause(clock, lateHandshake, signal);
    let unanswered: Fault | undefined;
    for (const hub of this.#hubs) {
      const stand = await this.#ask(hub, view.next);
      if (!stand.ok) unanswered ??= stand.fault;
    }
    if (this.#accepted.size > 0)
      return waiting({ code: 'ROTATION_FAILED', detail: `${this.#slot}: the new key was accepted late.` });
    return unanswered === undefined ? { kind: 'failed', fault } : waiting(unanswered);
  }

  async #finish(): Promise<RotationOutcome> {
    this.#reached('accepted');
    const done = await this.#parts.store.finish(this.#slot);
    if (!done.ok) return waiting(done.fault);
    this.#reached('final');
    return { kind: 'final' };
  }

  /** What the hub says of the new key. */
  async #ask(hub: string, next: string): Promise<Result<Stand>> {
    const keys = await this.#parts.client.keys(hub);
    if (!keys.ok) return keys;
    const mine = keys.value.find(({ slot }) => slot === wireSlot(this.#slot));
    if (mine === undefined)
      return fail('HUB_REFUSED', `${hub} knows no ${wireSlot(this.#slot)} of this terminal.`);
    if (mine.current === next) {
      this.#accepted.add(hub);
      return ok('accepted');
    }
    return ok(mine.candidate === next ? 'offered' : 'unknown');
  }

  #reached(step: RotationStep): void {
    this.#parts.log.debug('A step of a change of key', { slot: this.#slot, step });
    this.#parts.onStep?.(this.#slot, step);
  }
}

function waiting(fault: Fault): RotationOutcome {
  return { kind: 'waiting', fault };
}
