import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import { HealthMessage, Status } from '#contracts/health.ts';
import { type OutboxAck, OutboxBatch } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { Fault } from '#contracts/result.ts';
import { type Channel, parseTopic, topic } from '#contracts/topics.ts';
import { wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Counts } from './counts.ts';
import { type Delivery, storeBatch } from './deliveries.ts';
import {
  afterHealth,
  afterSilence,
  afterStatus,
  type Presence,
  type Step,
  unknownPresence,
} from './presence.ts';
import { Refusals } from './refusals.ts';
import type { RegistryWatch } from '../store/index.ts';
import type { ControllerStore } from './store.ts';
import { TerminalTable } from './terminals.ts';
import { AlertView, terminalRow } from './views.ts';

/** What became of a message. */
export interface Taken {
  /** Set only where our own store failed: nothing of the message was kept, and it must come again. */
  readonly fault?: Fault;
  /** What to publish now. */
  readonly reply?: { readonly topic: string; readonly payload: string };
}

export interface IngestParts {
  readonly store: ControllerStore;
  readonly registry: Pick<RegistryWatch, 'find' | 'all'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: Counts;
  /** Called after the transaction that changed them. */
  readonly listener: { terminal(row: TerminalRow): void; alert(row: AlertRow): void };
}

/** How long a gap is shown at its terminal; it stays in the database. */
const lostShownFor = 30 * 86_400_000;

/**
 * Takes what terminals say, each message in one durable transaction, and says what to answer. Whatever arrives, it
 * never throws for it: a message that does not fit is refused, logged and counted.
 */
export class Ingest {
  readonly alerts: AlertView;
  readonly #parts: IngestParts;
  readonly #terminals: TerminalTable;
  readonly #refusals: Refusals;
  /** The last birth that was refused for its low number: its terminal may turn out to have begun a new store. */
  readonly #lowBirths = new Map<string, Status>();
  /** Who said anything since the broker was reached. */
  #heard = new Set<string>();

  constructor(parts: IngestParts) {
    this.#parts = parts;
    this.#terminals = new TerminalTable(parts.store);
    this.#refusals = new Refusals(parts);
    this.alerts = new AlertView(parts.store);
  }

  /** Takes one message, as the broker delivered it: the topic's terminal is who said it (the broker grants rights). */
  take(name: string, payload: Uint8Array): Taken {
    const place = parseTopic(name);
    if (place === undefined) return this.#refuse('other', 'unknown-topic', '');
    const { terminal, channel } = place;
    const registered = this.#parts.registry.find(terminal);
    if (registered === undefined) return this.#refuse(channel, 'unregistered', terminal);
    // An empty retained message is how a retained one is deleted: it says nothing.
    if (payload.length === 0) return {};
    const text = Buffer.from(payload).toString('utf8');
    switch (channel) {
      case 'status':
        return this.#status(registered, text);
      case 'health':
        return this.#health(registered, text);
      case 'outbox':
        return this.#outbox(registered, text);
      default:
        return {};
    }
  }

  /** Every registered terminal, by id. */
  rows(): TerminalRow[] {
    const presences = this.#terminals.all();
    return this.#parts.registry
      .all()
      .map((one) => terminalRow(one, presences.get(one.terminal), this.#lostSince(one.terminal)))
      .sort((a, b) => (a.terminal < b.terminal ? -1 : 1));
  }

  /** The broker was reached: from now on silence means something. */
  reached(): void {
    this.#heard = new Set();
  }

  /** Called when every terminal has had time to come back: those that neither were announced nor spoke are offline. */
  sweep(): void {
    const done = this.#parts.store.transaction(() => {
      const silent = [...this.#terminals.all()].filter(
        ([terminal, { state }]) => state === 'online' && !this.#heard.has(terminal),
      );
      return silent.flatMap(([terminal, presence]) => {
        const registered = this.#parts.registry.find(terminal);
        return registered === undefined ? [] : [this.#put(registered, afterSilence(presence, this.#now()))];
      });
    });
    if (!done.ok) return this.#parts.log.error('The database failed', faultFields(done.fault));
    for (const row of done.value) this.#parts.listener.terminal(row);
  }

  #status(registered: RegisteredTerminal, text: string): Taken {
    const { terminal } = registered;
    const message = parseJson(Status, text, 'MESSAGE_INVALID');
    if (!message.ok) return this.#refuse('status', 'invalid', terminal, message.fault);
    const taken = this.#step(registered, 'status', (current) =>
      afterStatus(current, message.value, this.#now()),
    );
    if (taken.ignored === 'older-session' && message.value.state === 'online') {
      this.#lowBirths.set(terminal, message.value);
    } else if (taken.ignored === undefined) {
      this.#lowBirths.delete(terminal);
    }
    return taken;
  }

  #health(registered: RegisteredTerminal, text: string): Taken {
    const message = parseJson(HealthMessage, text, 'MESSAGE_INVALID');
    if (!message.ok) return this.#refuse('health', 'invalid', registered.terminal, message.fault);
    return this.#step(registered, 'health', (current) => afterHealth(current, message.value, this.#now()));
  }

  #step(
    registered: RegisteredTerminal,
    channel: Channel,
    step: (current: Presence) => Step,
  ): Taken & { ignored?: string } {
    const { terminal } = registered;
    const { store, listener } = this.#parts;
    const done = store.transaction(() => {
      const current = this.#presence(registered);
      const taken = step(current);
      if (taken.kind === 'changed') return { row: this.#put(registered, taken.next) };
      if (taken.kind === 'same') return {};
      if (taken.why !== 'cloned-identity' || current.clonedAt !== null) return { ignored: taken.why };
      return { ignored: taken.why, row: this.#put(registered, { ...current, clonedAt: this.#now() }) };
    });
    if (!done.ok) return { fault: done.fault };
    this.#heard.add(terminal);
    const { row, ignored } = done.value;
    if (row !== undefined) listener.terminal(row);
    if (ignored === undefined) return {};
    this.#refusals.add(channel, ignored, terminal);
    return { ignored };
  }

  #outbox(registered: RegisteredTerminal, text: string): Taken {
    const { terminal } = registered;
    const { store, listener, counts, log } = this.#parts;
    const batch = parseJson(OutboxBatch, text, 'MESSAGE_INVALID');
    if (!batch.ok) return this.#refuse('outbox', 'invalid', terminal, batch.fault);
    const done = store.transaction(() => {
      const delivery = storeBatch(store, terminal, batch.value, this.#now());
      const row = this.#put(registered, this.#afterDelivery(registered, delivery));
      return { delivery, row, alerts: this.#alertsOf(terminal, delivery) };
    });
    if (!done.ok) return { fault: done.fault };
    const { delivery, row, alerts } = done.value;
    this.#heard.add(terminal);
    if (delivery.restarted) this.#lowBirths.delete(terminal);
    counts.received(delivery.stored.length);
    counts.doubled(delivery.doubled);
    counts.lost(delivery.lost);
    if (delivery.lost > 0) {
      log.error('Items never arrived and are no longer kept at the terminal', {
        terminal,
        stream: batch.value.stream,
        lost: delivery.lost,
      });
    }
    if (delivery.ahead > 0) this.#refusals.add('outbox', 'ahead', terminal, {}, delivery.ahead);
    if (delivery.conflicts > 0) this.#refusals.add('outbox', 'conflict', terminal, {}, delivery.conflicts);
    listener.terminal(row);
    for (const alert of alerts) listener.alert(alert);
    const ack: OutboxAck = { v: 1, stream: batch.value.stream, through: delivery.through };
    return { reply: { topic: topic(terminal, 'outbox/ack'), payload: JSON.stringify(ack) } };
  }

  /** A terminal that says that its store was replaced counts its sessions from 1 again: the next birth is believed. */
  #afterDelivery(registered: RegisteredTerminal, delivery: Delivery): Presence {
    const now = this.#now();
    let next: Presence = { ...this.#presence(registered), lastSeen: now };
    if (delivery.conflicts > 0 && next.clonedAt === null) next = { ...next, clonedAt: now };
    if (!delivery.restarted) return next;
    next = { ...next, restartAllowed: true };
    const birth = this.#lowBirths.get(registered.terminal);
    const step = birth === undefined ? undefined : afterStatus(next, birth, now);
    return step?.kind === 'changed' ? step.next : next;
  }

  #alertsOf(terminal: string, delivery: Delivery): AlertRow[] {
    const found = new Map<number, AlertRow>();
    for (const id of delivery.stored) {
      const alert = this.alerts.byId(id);
      if (alert !== undefined) found.set(id, alert);
    }
    for (const lookup of delivery.touched) {
      for (const alert of this.alerts.byLookup(terminal, lookup)) found.set(alert.id, alert);
    }
    return [...found.values()];
  }

  /** What is known of it; another certificate means that it was enrolled again, which ends what was wrong with it. */
  #presence(registered: RegisteredTerminal): Presence {
    const known = this.#terminals.get(registered.terminal);
    if (known === undefined) return unknownPresence(registered.certificate, this.#now());
    if (known.certificate === registered.certificate) return known;
    return { ...known, certificate: registered.certificate, restartAllowed: true, clonedAt: null };
  }

  #put(registered: RegisteredTerminal, next: Presence): TerminalRow {
    this.#terminals.put(registered.terminal, next);
    return terminalRow(registered, next, this.#lostSince(registered.terminal));
  }

  #lostSince(terminal: string): string | undefined {
    const from = instant(wall(this.#parts.clock.wall() - lostShownFor));
    return this.#parts.store.get<{ at: string }>(
      'SELECT at FROM lost_items WHERE terminal = ? AND at >= ? ORDER BY at LIMIT 1',
      terminal,
      from,
    )?.at;
  }

  #refuse(
    channel: Channel | 'other',
    why: 'unknown-topic' | 'unregistered' | 'invalid',
    terminal: string,
    fault?: Fault,
  ): Taken {
    this.#refusals.add(channel, why, terminal, fault === undefined ? {} : faultFields(fault));
    return {};
  }

  #now(): string {
    return instant(this.#parts.clock.wall());
  }
}
