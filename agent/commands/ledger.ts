import Type, { type Static } from 'typebox';
import { type CommandOrder, commandKinds, type CommandKind } from '#contracts/command.ts';
import { Uuid } from '#contracts/names.ts';
import type { Log } from '#runtime/log.ts';
import { faultFields } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import type { CommandMemory } from './ports.ts';

/** How a command ended. */
const End = Type.Object(
  {
    state: Type.Union([Type.Literal('done'), Type.Literal('failed'), Type.Literal('refused')]),
    code: Type.Optional(Type.String({ maxLength: 48 })),
    detail: Type.String({ maxLength: 2000 }),
  },
  { additionalProperties: false },
);
export type End = Static<typeof End>;

const Running = Type.Object(
  {
    id: Uuid,
    what: Type.Unsafe<CommandKind>(Type.Enum([...commandKinds])),
    by: Type.String({ maxLength: 64 }),
    /** Of its order. */
    session: Type.Integer(),
    at: Type.String({ maxLength: 32 }),
    boot: Type.String({ maxLength: 64 }),
  },
  { additionalProperties: false },
);
/** A command that was accepted and has not ended; `boot` is that in which it was accepted. */
export type Running = Static<typeof Running>;

const Ended = Type.Object(
  { id: Uuid, session: Type.Integer(), at: Type.String({ maxLength: 32 }), end: End },
  { additionalProperties: false },
);
type Ended = Static<typeof Ended>;

const Kept = Type.Object(
  { v: Type.Literal(1), running: Type.Array(Running), ended: Type.Array(Ended) },
  { additionalProperties: false },
);
export type Kept = Static<typeof Kept>;

/** So many ends are remembered, the newest last, each with so much of its text: some 60 KB at the most. */
const endsKept = 100;
const detailKept = 500;

/**
 * What the terminal remembers of its commands: those under way, and how the last ones ended. A change is made in two
 * steps, `…With` inside the transaction that makes it durable and `take` when that has succeeded, so that what is
 * remembered here is never more than what is on disk.
 */
export class Ledger {
  #kept: Kept;
  /** Ends that were forgotten: whatever the controller had signed by then in this session may be one of them. */
  #forgotten: { readonly session: number; readonly at: number } | undefined;

  constructor(memory: CommandMemory, log: Log) {
    this.#kept = { v: 1, running: [], ended: [] };
    const text = memory.read();
    if (text === undefined) return;
    const kept = parseJson(Kept, text, 'STORE_CORRUPT');
    // Orders of before are safe all the same: they quote a session that is over.
    if (kept.ok) this.#kept = kept.value;
    else log.error('What is remembered of commands cannot be read', faultFields(kept.fault));
  }

  running(): readonly Running[] {
    return this.#kept.running;
  }

  isRunning(id: string): boolean {
    return this.#kept.running.some((one) => one.id === id);
  }

  endOf(id: string): End | undefined {
    return this.#kept.ended.find((one) => one.id === id)?.end;
  }

  /** Whether it may be one of those that were forgotten. */
  mayBeForgotten({ session, at }: Pick<CommandOrder, 'session' | 'at'>): boolean {
    return this.#forgotten?.session === session && Date.parse(at) <= this.#forgotten.at;
  }

  begunWith(running: Running): Kept {
    return { ...this.#kept, running: [...this.#kept.running, running] };
  }

  endedWith({ id, session, at }: Pick<CommandOrder, 'id' | 'session' | 'at'>, end: End): Kept {
    const short = { ...end, detail: end.detail.slice(0, detailKept) };
    return {
      ...this.#kept,
      running: this.#kept.running.filter((one) => one.id !== id),
      ended: [...this.#kept.ended, { id, session, at, end: short }],
    };
  }

  take(kept: Kept): void {
    for (const { session, at, end } of kept.ended.slice(0, -endsKept)) {
      // Of another session: it is refused again for that alone.
      if (end.code === 'COMMAND_REFUSED_SESSION') continue;
      const before = this.#forgotten?.session === session ? this.#forgotten.at : Number.NEGATIVE_INFINITY;
      if (session >= (this.#forgotten?.session ?? 0))
        this.#forgotten = { session, at: Math.max(before, Date.parse(at)) };
    }
    this.#kept = { ...kept, ended: kept.ended.slice(-endsKept) };
  }
}

/** As it is written: what `take` would forget is not. */
export function written(kept: Kept): string {
  return JSON.stringify({ ...kept, ended: kept.ended.slice(-endsKept) });
}
