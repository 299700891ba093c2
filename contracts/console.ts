import Type, { type Static } from 'typebox';
import { HealthReport } from './health.ts';
import { Instant, TerminalId, Uuid } from './names.ts';
import { HitOutcome, OwedItem } from './outbox.ts';

/**
 * What the controller tells the operators' page: `GET /api/terminals` and `GET /api/alerts` as JSON, `GET /api/events`
 * as server-sent events `terminal` and `alert`, each a whole view that replaces the one before.
 */

/** `never`: registered, but it has not been seen yet. */
export const TerminalState = Type.Union([
  Type.Literal('online'),
  Type.Literal('offline'),
  Type.Literal('never'),
]);

export const TerminalRow = Type.Object(
  {
    terminal: TerminalId,
    bureau: Type.String(),
    site: Type.String(),
    siteName: Type.String(),
    state: TerminalState,
    /** When the controller received the last word of it; null if never. */
    lastSeen: Type.Union([Type.Null(), Instant]),
    /** When the state began, by the controller's clock. */
    since: Type.Union([Type.Null(), Instant]),
    session: Type.Integer({ minimum: 0 }),
    version: Type.String(),
    health: Type.Partial(HealthReport),
  },
  { additionalProperties: false },
);
export type TerminalRow = Static<typeof TerminalRow>;

export const AlertRow = Type.Object(
  {
    /** The controller's own number, rising. */
    id: Type.Integer({ minimum: 1 }),
    terminal: TerminalId,
    stream: Uuid,
    seq: Type.Integer({ minimum: 1 }),
    /** By the terminal's clock; beside it when the controller stored it. */
    at: Instant,
    receivedAt: Instant,
    /** The document's number is masked but for its last three characters. */
    item: OwedItem,
    acknowledged: Type.Union([
      Type.Null(),
      Type.Object(
        { at: Instant, outcome: HitOutcome, officer: Type.String() },
        { additionalProperties: false },
      ),
    ]),
    centralConfirmation: Type.Union([Type.Null(), Type.Literal('agrees'), Type.Literal('disagrees')]),
  },
  { additionalProperties: false },
);
export type AlertRow = Static<typeof AlertRow>;
