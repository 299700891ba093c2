import Type, { type Static } from 'typebox';
import { conditionNote } from '../conditions.ts';
import { LayerScope } from '../configuration.ts';
import { BureauCode, Instant, SiteId, TerminalId, Uuid } from '../names.ts';
import { centreConditions } from './fleet.ts';
import { nullable } from '../nullable.ts';

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Note = Type.String({ maxLength: 1000 });

/**
 * One trouble that somebody should act upon: one condition of one terminal (and subject), or of the centre. The same
 * trouble is one alert for as long as it stands, however often it is reported. `suppressed` stands, but is explained by
 * another one (`cause`), or is covered by a planned maintenance: nobody is told.
 */
export const Alert = Type.Object(
  {
    id: Id,
    code: Type.String({ description: 'Code of a condition, of a terminal or of the centre' }),
    severity: Type.Union([Type.Literal('warning'), Type.Literal('error')]),
    terminal: nullable(TerminalId),
    site: nullable(SiteId),
    bureau: nullable(BureauCode),
    subject: nullable(Type.String()),
    state: Type.Union([Type.Literal('open'), Type.Literal('suppressed'), Type.Literal('closed')]),
    /** Id of the alert that explains it. */
    cause: nullable(Id),
    openedAt: Instant,
    closedAt: nullable(Instant),
    /** How often it came back within the time in which it counts as the same. */
    times: Type.Integer({ minimum: 1 }),
    /** It comes and goes so often that this itself is the trouble; said once. */
    flapping: Type.Boolean(),
    acknowledged: nullable(
      Type.Object({ at: Instant, by: Type.String(), note: Note }, { additionalProperties: false }),
    ),
    silencedUntil: nullable(Instant),
    /** How many steps of escalation were taken. */
    escalation: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type Alert = Static<typeof Alert>;

export const AcknowledgeAlert = Type.Object({ note: Note }, { additionalProperties: false });
export type AcknowledgeAlert = Static<typeof AcknowledgeAlert>;

/** Minutes from now; 0 ends the silence. */
export const SilenceAlert = Type.Object(
  { minutes: Type.Integer({ minimum: 0, maximum: 43_200 }), note: Note },
  { additionalProperties: false },
);
export type SilenceAlert = Static<typeof SilenceAlert>;

/** Planned work: nobody is told of what happens to these terminals meanwhile; it is still seen and kept. */
export const NewMaintenance = Type.Object(
  { scope: LayerScope, from: Instant, until: Instant, note: Note },
  { additionalProperties: false },
);
export type NewMaintenance = Static<typeof NewMaintenance>;

export const Maintenance = Type.Object(
  {
    id: Id,
    scope: LayerScope,
    from: Instant,
    until: Instant,
    note: Note,
    by: Type.String(),
    endedAt: nullable(Instant),
  },
  { additionalProperties: false },
);
export type Maintenance = Static<typeof Maintenance>;

interface AlertNote {
  readonly severity: 'warning' | 'error';
  readonly title: string;
  readonly remedy: string;
}

/** What an alert is about, by its code: a condition of a terminal or of the centre. */
export function alertNote(code: string): AlertNote {
  const own: Readonly<Record<string, AlertNote>> = centreConditions;
  // A terminal of a newer release may say what this one does not know: it is told of all the same, by its code.
  return (
    (Object.hasOwn(own, code) ? own[code] : undefined) ??
    conditionNote(code) ?? {
      severity: 'error',
      title: code,
      remedy:
        'This release does not know the condition: see the documentation of the release of the terminal.',
    }
  );
}

/**
 * What people are told of an alert: that it opened; that nobody acknowledged it (`escalated`, with the number of the
 * step); that it comes and goes; that it is over.
 */
export const AlertEvent = Type.Union([
  Type.Literal('opened'),
  Type.Literal('escalated'),
  Type.Literal('flapping'),
  Type.Literal('closed'),
]);
export type AlertEvent = Static<typeof AlertEvent>;

/**
 * One thing to tell: the alert as it was then, in words too.
 */
export const AlertNotice = Type.Object(
  {
    event: AlertEvent,
    /** Of the escalation; 0 for any other event. */
    step: Type.Integer({ minimum: 0 }),
    at: Instant,
    title: Type.String(),
    remedy: Type.String(),
    alert: Alert,
  },
  { additionalProperties: false },
);
export type AlertNotice = Static<typeof AlertNotice>;

/** Most notices in one delivery. */
export const mostNotices = 100;

/**
 * Body of a webhook, JSON, sent with POST. The same delivery may arrive more than once, always with the same `delivery`,
 * which the header `idempotency-key` repeats. Signed: header `x-checkpost-signature: t=<Unix seconds>,v1=<hexadecimal
 * HMAC-SHA256 of "<t>.<body>">` with the secret of the channel.
 */
export const WebhookBody = Type.Object(
  {
    v: Type.Literal(1),
    delivery: Uuid,
    channel: Type.String(),
    notices: Type.Array(AlertNotice, { minItems: 1, maxItems: mostNotices }),
  },
  { additionalProperties: false },
);
export type WebhookBody = Static<typeof WebhookBody>;
export const signatureHeader = 'x-checkpost-signature';
