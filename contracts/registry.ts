import Type, { type Static } from 'typebox';
import { BureauCode, Instant, SiteId, TerminalId } from './names.ts';

/**
 * The registry: which terminals there are, and what they belong to. Written by the authority, read by the lookup
 * service and the controller; the broker's access rules let in only whom it names.
 */
export const RegisteredTerminal = Type.Object(
  {
    terminal: TerminalId,
    bureau: BureauCode,
    site: SiteId,
    siteName: Type.String({ minLength: 1, maxLength: 100 }),
    /** SHA-256 of the certificate in DER, hexadecimal: the only certificate accepted for this terminal. */
    certificate: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    enrolledAt: Instant,
    revokedAt: Type.Optional(Instant),
  },
  { additionalProperties: false },
);
export type RegisteredTerminal = Static<typeof RegisteredTerminal>;

export const Registry = Type.Object(
  { v: Type.Literal(1), terminals: Type.Array(RegisteredTerminal) },
  { additionalProperties: false },
);
export type Registry = Static<typeof Registry>;
