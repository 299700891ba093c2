import Type, { type Static } from 'typebox';
import { SiteId, TerminalId } from '#contracts/names.ts';
import { type Hurt, hurts } from './health.ts';

/** What can be asked of a played fleet; lines of JSON on its control socket. */
const WhatHurts = Type.Unsafe<Hurt>(Type.Enum(Object.keys(hurts)));

export const FleetOrder = Type.Union([
  Type.Object(
    { do: Type.Literal('hurt'), terminal: TerminalId, what: WhatHurts },
    { additionalProperties: false },
  ),
  /** One terminal, or all: nothing is wrong with it any more, its line works, and it runs. */
  Type.Object(
    { do: Type.Literal('heal'), terminal: Type.Optional(TerminalId) },
    { additionalProperties: false },
  ),
  /** A power cut, without a goodbye. */
  Type.Object({ do: Type.Literal('stop'), terminal: TerminalId }, { additionalProperties: false }),
  Type.Object({ do: Type.Literal('start'), terminal: TerminalId }, { additionalProperties: false }),
  /** Every uplink of a site, or of all. */
  Type.Object({ do: Type.Literal('cut'), site: Type.Optional(SiteId) }, { additionalProperties: false }),
  Type.Object({ do: Type.Literal('restore'), site: Type.Optional(SiteId) }, { additionalProperties: false }),
  /** Whether items come to be owed and readers are unplugged and plugged in by themselves. */
  Type.Object({ do: Type.Literal('load'), on: Type.Boolean() }, { additionalProperties: false }),
  Type.Object({ do: Type.Literal('count') }, { additionalProperties: false }),
  /** How far the stream of every terminal goes. */
  Type.Object({ do: Type.Literal('list') }, { additionalProperties: false }),
]);
export type FleetOrder = Static<typeof FleetOrder>;

export const FleetCounts = Type.Object(
  {
    terminals: Type.Integer(),
    connected: Type.Integer(),
    /** Items that the controller has not acknowledged yet. */
    owed: Type.Integer(),
    acknowledged: Type.Integer(),
    reports: Type.Integer(),
    /** Of the processes that play them. */
    memoryMiB: Type.Number(),
    cpuSeconds: Type.Number(),
  },
  { additionalProperties: false },
);
export type FleetCounts = Static<typeof FleetCounts>;

export const StreamOfTerminal = Type.Object(
  {
    terminal: TerminalId,
    stream: Type.String(),
    /** Number of the last item that was ever owed; 0 where there was none. */
    last: Type.Integer(),
    acknowledged: Type.Integer(),
    /** What is wrong with it. */
    hurts: Type.Array(WhatHurts),
  },
  { additionalProperties: false },
);
export type StreamOfTerminal = Static<typeof StreamOfTerminal>;

export const FleetAnswer = Type.Union([
  Type.Object(
    {
      ok: Type.Literal(true),
      counts: Type.Optional(FleetCounts),
      streams: Type.Optional(Type.Array(StreamOfTerminal)),
    },
    { additionalProperties: false },
  ),
  Type.Object({ ok: Type.Literal(false), detail: Type.String() }, { additionalProperties: false }),
]);
export type FleetAnswer = Static<typeof FleetAnswer>;

/** Whoever does what is asked: a fleet in this process, or several processes with a part of it each. */
export interface FleetHands {
  obey(order: FleetOrder): Promise<FleetAnswer>;
  close(): Promise<void>;
}
