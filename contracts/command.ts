import Type, { type Static } from 'typebox';
import { Instant, ReaderId, TerminalId, Uuid } from './names.ts';

/**
 * What the centre may ask of a terminal. Each is signed by the controller's online key, quotes the session that it was
 * meant for, so that its freshness needs no clock, and is carried out at most once. `timeoutSeconds`: what takes longer
 * on the terminal has failed.
 */
export const commands = {
  'report-now': {
    title: 'Report now',
    text: 'Measures everything and sends a full report.',
    timeoutSeconds: 60,
  },
  'diagnostic-bundle': {
    title: 'Diagnostic bundle',
    text: 'Sends the last log lines, the status and the configuration without secrets.',
    timeoutSeconds: 3600,
  },
  'reader-probe': {
    title: 'Probe a reader',
    text: 'Finds the speed, framing and profile of a reader; nothing is read with it meanwhile.',
    timeoutSeconds: 180,
  },
  'restart-agent': {
    title: 'Restart the agent',
    text: 'Stops the agent and starts it again; officers wait for a few seconds.',
    timeoutSeconds: 120,
  },
  reboot: {
    title: 'Reboot',
    text: 'Starts the whole terminal again; officers wait for a minute or two.',
    timeoutSeconds: 600,
  },
  'rotate-keys': {
    title: 'New tunnel keys',
    text: 'Makes new WireGuard keys with every hub.',
    timeoutSeconds: 180,
  },
  'rebuild-edition': {
    title: 'Rebuild the offline copy',
    text: 'Reads the offline copy through, and fetches again what is damaged.',
    timeoutSeconds: 21600,
  },
  'training-drill': {
    title: 'Training drill',
    text: 'Shows a made-up hit, marked as training, which the officer has to acknowledge.',
    timeoutSeconds: 30,
  },
} as const satisfies Record<string, { title: string; text: string; timeoutSeconds: number }>;
export type CommandKind = keyof typeof commands;
export const commandKinds = Object.keys(commands) as CommandKind[];

const simple = <K extends CommandKind>(kind: K) =>
  Type.Object({ kind: Type.Literal(kind) }, { additionalProperties: false });

export const TerminalCommand = Type.Union([
  simple('report-now'),
  simple('diagnostic-bundle'),
  Type.Object({ kind: Type.Literal('reader-probe'), reader: ReaderId }, { additionalProperties: false }),
  simple('restart-agent'),
  simple('reboot'),
  simple('rotate-keys'),
  simple('rebuild-edition'),
  simple('training-drill'),
]);
export type TerminalCommand = Static<typeof TerminalCommand>;

/** Payload of topic `command` (a `SignedEnvelope` as JSON, QoS 1, with a message expiry); key role `commands`. */
export const commandType = 'application/vnd.checkpost.command.v1+json';
export const CommandOrder = Type.Object(
  {
    v: Type.Literal(1),
    id: Uuid,
    terminal: TerminalId,
    /** Number of the session that it is meant for: in any other one it is refused. */
    session: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    at: Instant,
    /** Who asked for it, by account name. */
    by: Type.String({ minLength: 1, maxLength: 64 }),
    command: TerminalCommand,
  },
  { additionalProperties: false },
);
export type CommandOrder = Static<typeof CommandOrder>;

/** What an older release can still read of an order that it does not know: enough to refuse it by name. */
export const CommandHeading = Type.Object({
  ...CommandOrder.properties,
  command: Type.Object({ kind: Type.String({ pattern: '^[a-z-]{1,32}$' }) }),
});
export type CommandHeading = Static<typeof CommandHeading>;

/** Longest message on topic `command`, in bytes. */
export const commandBytes = 8192;

export const commandStates = ['accepted', 'done', 'failed', 'refused'] as const;
export type CommandState = (typeof commandStates)[number];

/**
 * Topic `command/result` (MQTT 5: on the response topic of the command, with its correlation data). `accepted` may come
 * first; `done`, `failed` or `refused` ends it. The same end is owed through the outbox, so that it is never lost.
 */
export const CommandResult = Type.Object(
  {
    v: Type.Literal(1),
    id: Uuid,
    state: Type.Unsafe<CommandState>(Type.Enum([...commandStates])),
    /** Of `failed` and `refused`: the code of the error. */
    code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,48}$' })),
    /** In words, for the operator. */
    detail: Type.String({ maxLength: 2000 }),
  },
  { additionalProperties: false },
);
export type CommandResult = Static<typeof CommandResult>;

/** A command is not worth waiting for longer than this unless whoever asks says otherwise, in seconds. */
export const commandExpirySeconds = 120;
