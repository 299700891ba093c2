import Type, { type Static } from 'typebox';
import { BureauCode, Instant, TerminalId } from '../names.ts';
import { nullable } from '../nullable.ts';

/**
 * viewer sees; operator also acknowledges, silences, plans maintenance and sends commands; administrator also changes
 * configuration, runs waves, and keeps accounts. Each within one bureau, or over all (`bureau` null).
 */
export const roles = ['viewer', 'operator', 'administrator'] as const;
export type Role = (typeof roles)[number];
export const Role = Type.Unsafe<Role>(Type.Enum([...roles]));

export const AccountName = Type.String({
  pattern: '^[a-z0-9][a-z0-9._@-]{0,63}$',
  description: 'Name of an account: lower-case letters, digits, dot, underscore, at sign, hyphen',
});

/** Who is asking. */
export const Identity = Type.Object(
  { name: Type.String(), role: Role, bureau: nullable(BureauCode) },
  { additionalProperties: false },
);
export type Identity = Static<typeof Identity>;

export const SignIn = Type.Object(
  { name: AccountName, password: Type.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);

export const SessionState = Type.Object(
  {
    identity: nullable(Identity),
    /** Sent back in the header `x-checkpost-csrf` of every change that is made with the cookie. */
    csrf: Type.String(),
    /** Whether one may sign in with OpenID Connect, and what its button says. */
    openIdConnect: nullable(Type.Object({ title: Type.String() }, { additionalProperties: false })),
    demo: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type SessionState = Static<typeof SessionState>;

export const AccountRow = Type.Object(
  {
    name: AccountName,
    role: Role,
    bureau: nullable(BureauCode),
    disabled: Type.Boolean(),
    /** `openid`: its role and bureau come from the provider with every sign-in. */
    origin: Type.Union([Type.Literal('local'), Type.Literal('openid')]),
    lastSeen: nullable(Instant),
  },
  { additionalProperties: false },
);
export type AccountRow = Static<typeof AccountRow>;

export const NewAccount = Type.Object(
  {
    name: AccountName,
    role: Role,
    bureau: nullable(BureauCode),
    password: Type.String({ minLength: 12, maxLength: 256 }),
  },
  { additionalProperties: false },
);
export const ChangeAccount = Type.Partial(
  Type.Object({
    role: Role,
    bureau: nullable(BureauCode),
    disabled: Type.Boolean(),
    password: Type.String({ minLength: 12, maxLength: 256 }),
  }),
  { additionalProperties: false },
);

/** For programs: sent as `Authorization: Bearer …`; never has more rights than the account that made it. */
export const NewToken = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 100 }),
    role: Role,
    days: Type.Integer({ minimum: 1, maximum: 366 }),
  },
  { additionalProperties: false },
);
export const TokenRow = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    title: Type.String(),
    account: Type.String(),
    role: Role,
    createdAt: Instant,
    expiresAt: Instant,
    lastSeen: nullable(Instant),
  },
  { additionalProperties: false },
);
export type TokenRow = Static<typeof TokenRow>;
/** The token itself is shown this once. */
export const MadeToken = Type.Object(
  { token: Type.String(), row: TokenRow },
  { additionalProperties: false },
);

/** Who changed what: every change by anybody, in order; nothing is ever taken away from it. */
export const OperatorAuditRow = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    at: Instant,
    by: Type.String(),
    /** For example `command`, `layer`, `alert-acknowledged`, `account`. */
    action: Type.String({ maxLength: 64 }),
    terminal: nullable(TerminalId),
    bureau: nullable(BureauCode),
    /** In words; without secrets and without personal data of travellers. */
    text: Type.String({ maxLength: 1000 }),
  },
  { additionalProperties: false },
);
export type OperatorAuditRow = Static<typeof OperatorAuditRow>;
