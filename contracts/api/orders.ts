import Type, { type Static } from 'typebox';
import { type CommandState, commandStates, TerminalCommand } from '../command.ts';
import { Desired, LayerScope, LayerValues, LimitValues, Reported } from '../configuration.ts';
import { Instant, TerminalId, Uuid } from '../names.ts';
import { nullable } from '../nullable.ts';

/** What operators order: configuration, commands, and either for many terminals in waves. */

const count = Type.Integer({ minimum: 0 });
const Note = Type.String({ maxLength: 1000 });

/** A layer as it stands at the centre; `version` is the number of its last change and 0 where it never had one. */
export const Layer = Type.Object(
  {
    scope: LayerScope,
    version: count,
    values: LayerValues,
    at: nullable(Instant),
    by: nullable(Type.String()),
    note: Note,
  },
  { additionalProperties: false },
);
export type Layer = Static<typeof Layer>;

/** `base` is the version that the change was made from: another one means that somebody was faster (conflict). */
export const PutLayer = Type.Object(
  { scope: LayerScope, base: count, values: LayerValues, note: Note },
  { additionalProperties: false },
);
export type PutLayer = Static<typeof PutLayer>;

/** What a change would do: which setting of which terminals, from what to what. */
export const LayerPreview = Type.Object(
  {
    terminals: count,
    changes: Type.Array(
      Type.Object(
        {
          path: Type.String(),
          /** Null where the layers do not set it: the terminal's own value or default holds. */
          before: Type.Unknown(),
          after: Type.Unknown(),
          terminals: count,
          /** Some of them. */
          examples: Type.Array(TerminalId, { maxItems: 5 }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type LayerPreview = Static<typeof LayerPreview>;

export const TerminalConfiguration = Type.Object(
  {
    terminal: TerminalId,
    wanted: nullable(Desired),
    limits: nullable(LimitValues),
    reported: nullable(Reported),
  },
  { additionalProperties: false },
);
export type TerminalConfiguration = Static<typeof TerminalConfiguration>;

/** A signed envelope of the offline key, as the authority's command wrote it. */
export const UploadEnvelope = Type.Object({ envelope: Type.Unknown() }, { additionalProperties: false });
export type UploadEnvelope = Static<typeof UploadEnvelope>;

export const NewCommand = Type.Object(
  {
    command: TerminalCommand,
    /** Not carried out once this has passed, in seconds. */
    expirySeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 86_400 })),
  },
  { additionalProperties: false },
);
export type NewCommand = Static<typeof NewCommand>;

/** `sent`: with the broker; `expired`: nobody answered in time, so that it was not carried out, or its end is not known. */
export const commandRowStates = ['sent', ...commandStates, 'expired'] as const;
export const CommandRow = Type.Object(
  {
    id: Uuid,
    terminal: TerminalId,
    command: TerminalCommand,
    by: Type.String(),
    at: Instant,
    expiresAt: Instant,
    state: Type.Unsafe<CommandState | 'sent' | 'expired'>(Type.Enum([...commandRowStates])),
    changedAt: Instant,
    code: nullable(Type.String()),
    detail: Type.String(),
    wave: nullable(Uuid),
  },
  { additionalProperties: false },
);
export type CommandRow = Static<typeof CommandRow>;

/** Whom a bulk action is for, and what. A configuration wave sets the terminal layer of each. */
export const NewWave = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 100 }),
    terminals: Type.Array(TerminalId, { minItems: 1, maxItems: 20_000, uniqueItems: true }),
    action: Type.Union([
      Type.Object(
        { kind: Type.Literal('command'), command: TerminalCommand },
        { additionalProperties: false },
      ),
      Type.Object(
        { kind: Type.Literal('configuration'), values: LayerValues },
        { additionalProperties: false },
      ),
    ]),
    /** How many at first; each later wave is twice as large as the one before. */
    first: Type.Integer({ minimum: 1, maximum: 1000 }),
    /** How long after a wave has ended well the next begins. */
    pauseSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
    /** So many failures stop it. */
    stopAfter: Type.Integer({ minimum: 1, maximum: 1000 }),
    /** What has not ended by then counts as failed. */
    timeoutSeconds: Type.Integer({ minimum: 10, maximum: 86_400 }),
  },
  { additionalProperties: false },
);
export type NewWave = Static<typeof NewWave>;

export const Wave = Type.Object(
  {
    id: Uuid,
    title: Type.String(),
    action: NewWave.properties.action,
    by: Type.String(),
    at: Instant,
    state: Type.Union([
      Type.Literal('running'),
      Type.Literal('done'),
      Type.Literal('stopped'),
      Type.Literal('stopped-by-failures'),
    ]),
    first: count,
    pauseSeconds: count,
    stopAfter: count,
    timeoutSeconds: count,
    counts: Type.Object(
      { waiting: count, underWay: count, done: count, failed: count },
      { additionalProperties: false },
    ),
    nextAt: nullable(Instant),
    /** The terminals that failed, at most 100, with the reason. */
    failures: Type.Array(
      Type.Object({ terminal: TerminalId, reason: Type.String() }, { additionalProperties: false }),
      { maxItems: 100 },
    ),
  },
  { additionalProperties: false },
);
export type Wave = Static<typeof Wave>;
