import type { Static, TSchema } from 'typebox';
import { CommandResult } from '#contracts/command.ts';
import { Reported } from '#contracts/configuration.ts';
import { HealthMessage, Status } from '#contracts/health.ts';
import { type OutboxAck, OutboxBatch } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { Fault, Result } from '#contracts/result.ts';
import { type Channel, parseTopic, topic } from '#contracts/topics.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { systemCode, toFault } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { unpack } from '#runtime/packed.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Db, RegistryWatch, WriteTx } from '../../store/index.ts';
import { recordHealth, recordItem } from '../history/record.ts';
import { Batcher } from './batcher.ts';
import type { Consumer } from './consumer.ts';
import type { Counts } from './counts.ts';
import { type Delivery, storeBatch } from './deliveries.ts';
import { changes, isMove, itemWords, tell } from './events.ts';
import { Buckets } from './flood.ts';
import {
  afterHealth,
  afterSilence,
  afterStatus,
  type Presence,
  type Step,
  unknownPresence,
} from './presence.ts';
import { Refusals } from './refusals.ts';
import { getPresence, putPresence } from './terminals.ts';

/** What became of a message. */
export interface Taken {
  /** Set only where our own store failed: nothing of the message was kept, and it must come again. */
  readonly fault?: Fault;
  /** What to publish now. */
  readonly reply?: { readonly topic: string; readonly payload: string };
}

export interface IngestParts {
  readonly db: Db;
  readonly registry: Pick<RegistryWatch, 'find'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: Counts;
  readonly consumers: readonly Consumer[];
  /** What one terminal may say a second, on average. */
  readonly messagesPerSecond: number;
}

/** A batch of 32 hits is far below; what is larger is not parsed. */
export const mostBytes = 262_144;
/** That it floods is written once in this time. */
const floodEvery = 60_000;

/**
 * Takes what terminals say, each message in one durable transaction, and says what to answer. Whatever arrives, it
 * never throws for it: a message that does not fit is refused, logged and counted.
 */
export class Ingest {
  readonly #parts: IngestParts;
  readonly #refusals: Refusals;
  readonly #batcher: Batcher;
  readonly #buckets: Buckets;
  /** When each terminal said its last word since the broker was reached, by the monotonic clock. */
  #heard = new Map<string, number>();
  readonly #floodSaid = new Map<string, number>();

  constructor(parts: IngestParts) {
    this.#parts = parts;
    this.#refusals = new Refusals(parts);
    this.#batcher = new Batcher(parts.db);
    this.#buckets = new Buckets(parts.clock, parts.messagesPerSecond);
  }

  /**
   * Takes one message, as the broker delivered it: the topic's terminal is who said it (the broker grants rights). Resolves
   * when what became of it is committed; messages that are taken meanwhile share the transaction.
   */
  async take(name: string, payload: Uint8Array): Promise<Taken> {
    const { clock, counts } = this.#parts;
    const arrived = clock.monotonic();
    const taken = await this.#take(name, payload);
    if (taken.fault === undefined) counts.ingested((clock.monotonic() - arrived) / 1000);
    return taken;
  }

  async #take(name: string, payload: Uint8Array): Promise<Taken> {
    const place = parseTopic(name);
    if (place === undefined) return this.#refuse('other', 'unknown-topic', '');
    const { terminal, channel } = place;
    const registered = this.#parts.registry.find(terminal);
    if (registered === undefined) return this.#refuse(channel, 'unregistered', terminal);
    // An empty retained message is how a retained one is deleted: it says nothing.
    if (payload.length === 0) return {};
    if (!this.#buckets.take(terminal)) return this.#flooded(registered, channel);
    if (payload.length > mostBytes) return this.#refuse(channel, 'oversized', terminal);
    const text = unpack(payload);
    if (!text.ok) return this.#refuse(channel, 'invalid', terminal, text.fault);
    switch (channel) {
      case 'status':
        return this.#read(registered, channel, Status, text.value, (message) =>
          this.#status(registered, message),
        );
      case 'health':
        return this.#read(registered, channel, HealthMessage, text.value, (message) =>
          this.#health(registered, message),
        );
      case 'outbox':
        return this.#read(registered, channel, OutboxBatch, text.value, (batch) =>
          this.#outbox(registered, batch),
        );
      case 'reported':
        return this.#read(registered, channel, Reported, text.value, (reported) =>
          this.#reported(registered, reported),
        );
      case 'command/result':
        return this.#read(registered, channel, CommandResult, text.value, (result) =>
          this.#result(registered, result),
        );
      default:
        return {};
    }
  }

  /** Messages refused since the start, by reason. */
  refused(): Record<string, number> {
    return this.#refusals.totals();
  }

  /** The broker was reached: from now on silence means something. */
  reached(): void {
    this.#heard = new Map();
  }

  /** The last word since the broker was reached, by the monotonic clock; undefined where there was none. */
  lastWord(terminal: string): number | undefined {
    return this.#heard.get(terminal);
  }

  /** Another controller heard it. */
  heard(terminal: string): void {
    this.#heard.set(terminal, this.#parts.clock.monotonic());
  }

  /** Changes what is known of a terminal, where `change` gives something else; for verdicts of the leader. */
  async judge(
    registered: RegisteredTerminal,
    change: (current: Presence, now: string) => Presence | undefined,
    why?: string,
  ): Promise<Result<void>> {
    return this.#batcher.run(registered.terminal, async (tx) => {
      const current = await this.#presence(tx, registered);
      const next = change(current, this.#now());
      if (next !== undefined) await this.#put(tx, registered, current, next, why);
    });
  }

  /** Nothing was heard of it for too long. */
  silent(registered: RegisteredTerminal, state: 'suspect' | 'offline'): Promise<Result<void>> {
    return this.judge(
      registered,
      (current, now) =>
        current.state === 'online' || (current.state === 'suspect' && state === 'offline')
          ? afterSilence(current, state, now)
          : undefined,
      state === 'offline' ? 'Offline: silent, and the broker does not know of it' : undefined,
    );
  }

  async #read<S extends TSchema>(
    { terminal }: RegisteredTerminal,
    channel: Channel,
    schema: S,
    text: string,
    act: (message: Static<S>) => Promise<Taken>,
  ): Promise<Taken> {
    // PostgreSQL cannot keep it, and no word of ours has it.
    if (text.includes('\\u0000')) return this.#refuse(channel, 'invalid', terminal);
    const message = parseJson(schema, text, 'MESSAGE_INVALID');
    if (!message.ok) return this.#refuse(channel, 'invalid', terminal, message.fault);
    try {
      const taken = await act(message.value);
      // It would come again with every session, and end that for everybody.
      return taken.fault !== undefined && isOfContent(taken.fault)
        ? this.#refuse(channel, 'failed', terminal, taken.fault)
        : taken;
    } catch (thrown) {
      // A defect must not bring the same message again for ever.
      return this.#refuse(channel, 'failed', terminal, toFault(thrown));
    }
  }

  #status(registered: RegisteredTerminal, message: Status): Promise<Taken> {
    const why = {
      lost: 'Offline: the connection was lost',
      stop: 'Offline: it was stopped',
      start: undefined,
    };
    return this.#step(registered, 'status', why[message.reason], (current, now) =>
      afterStatus(current, message, now),
    );
  }

  #health(registered: RegisteredTerminal, message: HealthMessage): Promise<Taken> {
    return this.#step(
      registered,
      'health',
      undefined,
      (current, now) => afterHealth(current, message, now),
      (tx, before, now) => recordHealth(tx, registered.terminal, now, before, message.report),
    );
  }

  /** One message about state: what is known, the step, what is known then. */
  async #step(
    registered: RegisteredTerminal,
    channel: Channel,
    why: string | undefined,
    step: (current: Presence, now: string) => Step,
    changed?: (tx: WriteTx, before: Presence, now: string) => Promise<void>,
  ): Promise<Taken> {
    const { terminal } = registered;
    const done = await this.#batcher.run(terminal, async (tx) => {
      const now = this.#now();
      const current = await this.#presence(tx, registered);
      const taken = step(current, now);
      if (taken.kind === 'same') return undefined;
      if (taken.next !== undefined) await this.#put(tx, registered, current, taken.next, why);
      if (taken.kind === 'changed') await changed?.(tx, current, now);
      return taken.kind === 'ignored' ? taken.why : undefined;
    });
    if (!done.ok) return { fault: done.fault };
    this.heard(terminal);
    if (done.value !== undefined) this.#refusals.add(channel, done.value, terminal);
    return {};
  }

  async #outbox(registered: RegisteredTerminal, batch: OutboxBatch): Promise<Taken> {
    const { terminal } = registered;
    const done = await this.#batcher.run(terminal, (tx) => this.#deliver(tx, registered, batch));
    if (!done.ok) return { fault: done.fault };
    this.heard(terminal);
    // News cost nothing: a terminal that was without a link for a month must not be held back.
    this.#buckets.charge(terminal, done.value.conflicts - (done.value.stored.length > 0 ? 1 : 0));
    this.#count(terminal, batch.stream, done.value);
    const ack: OutboxAck = { v: 1, stream: batch.stream, through: done.value.through };
    return { reply: { topic: topic(terminal, 'outbox/ack'), payload: JSON.stringify(ack) } };
  }

  async #deliver(tx: WriteTx, registered: RegisteredTerminal, batch: OutboxBatch): Promise<Delivery> {
    const { terminal } = registered;
    const now = this.#now();
    const delivery = await storeBatch(tx, registered, batch, now);
    for (const { id, entry } of delivery.stored) {
      if (entry.item.kind === 'hit') tx.announce('hit', String(id));
      if (entry.item.kind === 'metric') await recordItem(tx, terminal, now, entry.item);
      const words = itemWords(entry);
      if (words !== undefined) await tell(tx, registered, now, { ...words, deviceAt: entry.at });
      for (const consumer of this.#parts.consumers) await consumer.item?.(tx, { terminal, now }, entry);
    }
    for (const lookup of delivery.touched) {
      const hits = await tx.all<{ id: number }>(
        "SELECT id FROM items WHERE terminal = ? AND lookup = ? AND kind = 'hit'",
        terminal,
        lookup,
      );
      for (const { id } of hits) tx.announce('hit', String(id));
    }
    const current = await this.#presence(tx, registered);
    await this.#put(tx, registered, current, afterDelivery(current, delivery, now));
    return delivery;
  }

  #count(terminal: string, stream: string, delivery: Delivery): void {
    const { counts, log } = this.#parts;
    counts.received(delivery.stored.length);
    counts.doubled(delivery.doubled);
    counts.lost(delivery.lost);
    counts.thinned(delivery.thinned);
    if (delivery.lost > 0) {
      log.error('Items never arrived and are no longer kept at the terminal', {
        terminal,
        stream,
        lost: delivery.lost,
      });
    }
    if (delivery.ahead > 0) this.#refusals.add('outbox', 'ahead', terminal, {}, delivery.ahead);
    if (delivery.conflicts > 0) this.#refusals.add('outbox', 'conflict', terminal, {}, delivery.conflicts);
  }

  async #reported(registered: RegisteredTerminal, reported: Reported): Promise<Taken> {
    const { terminal } = registered;
    const done = await this.#batcher.run(terminal, async (tx) => {
      const now = this.#now();
      const { session, left } = await this.#presence(tx, registered);
      if (reported.session < session || reported.session === left?.session) return 'older-session';
      await tx.run(
        `INSERT INTO reported (terminal, session, running, state, received_at, body) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (terminal) DO UPDATE SET session = excluded.session, running = excluded.running,
           state = excluded.state, received_at = excluded.received_at, body = excluded.body`,
        terminal,
        reported.session,
        reported.running,
        reported.state,
        now,
        JSON.stringify(reported),
      );
      for (const consumer of this.#parts.consumers)
        await consumer.reported?.(tx, { terminal, now }, reported);
      tx.announce('terminal', terminal);
      return undefined;
    });
    if (!done.ok) return { fault: done.fault };
    if (done.value !== undefined) this.#refusals.add('reported', done.value, terminal);
    return {};
  }

  async #result(registered: RegisteredTerminal, result: CommandResult): Promise<Taken> {
    const { terminal } = registered;
    const done = await this.#batcher.run(terminal, async (tx) => {
      const from = { terminal, now: this.#now() };
      for (const consumer of this.#parts.consumers) await consumer.result?.(tx, from, result);
    });
    if (!done.ok) return { fault: done.fault };
    this.heard(terminal);
    return {};
  }

  /** Refused without a look at it; that it floods is written once a minute. */
  async #flooded(registered: RegisteredTerminal, channel: Channel): Promise<Taken> {
    const { terminal } = registered;
    this.#refusals.add(channel, 'flooding', terminal);
    const now = this.#parts.clock.monotonic();
    const said = this.#floodSaid.get(terminal);
    if (said !== undefined && now - said < floodEvery) return {};
    this.#floodSaid.set(terminal, now);
    const done = await this.judge(registered, (current, at) => ({
      ...current,
      flooding: { since: current.flooding?.since ?? at, last: at },
    }));
    if (!done.ok) this.#floodSaid.delete(terminal);
    return {};
  }

  /** What is known of it; another certificate means that it was enrolled again, which ends what was wrong with it. */
  async #presence(tx: WriteTx, { terminal, certificate }: RegisteredTerminal): Promise<Presence> {
    const known = await getPresence(tx, terminal);
    if (known === undefined) return unknownPresence(certificate, this.#now());
    if (known.certificate === certificate) return known;
    return { ...known, certificate, restartAllowed: true, clonedAt: null };
  }

  async #put(
    tx: WriteTx,
    registered: RegisteredTerminal,
    before: Presence,
    after: Presence,
    why?: string,
  ): Promise<void> {
    const { terminal } = registered;
    await putPresence(tx, terminal, after);
    const now = this.#now();
    const told = changes(before, after, why);
    for (const words of told) await tell(tx, registered, now, words);
    // Each is kept: by a condition with ever new subjects a terminal could fill the disk, and with few messages.
    this.#buckets.charge(terminal, told.length);
    if (!isMove(before, after)) return;
    await tx.run(
      `INSERT INTO periods (terminal, began, state) VALUES (?, ?, ?)
       ON CONFLICT (terminal, began) DO UPDATE SET state = excluded.state`,
      terminal,
      now,
      after.state,
    );
  }

  #refuse(
    channel: Channel | 'other',
    why: 'unknown-topic' | 'unregistered' | 'invalid' | 'oversized' | 'failed',
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

/** Whether the database refuses the message for what is in it, now and at every later try: SQLSTATE classes 22 and 23. */
function isOfContent({ code, cause }: Fault): boolean {
  return (
    code === 'STORE_FAILED' &&
    /^(SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)|2[23][0-9A-Z]{3}$)/.test(systemCode(cause) ?? '')
  );
}

/** A terminal that says that its store was replaced counts its sessions from 1 again: the next birth is believed. */
function afterDelivery(current: Presence, delivery: Delivery, now: string): Presence {
  let next: Presence = { ...current, lastSeen: now };
  if (delivery.conflicts > 0 && next.clonedAt === null) next = { ...next, clonedAt: now };
  if (delivery.lost > 0) next = { ...next, lost: { since: next.lost?.since ?? now, last: now } };
  if (!delivery.restarted) return next;
  next = { ...next, restartAllowed: true };
  const step = next.refusedBirth === null ? undefined : afterStatus(next, next.refusedBirth, now);
  return step?.kind === 'changed' ? step.next : { ...next, refusedBirth: null };
}
