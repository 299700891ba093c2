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

/** A place, as the bureau gave it: for the map and for local times. */
export const RegisteredSite = Type.Object(
  {
    site: SiteId,
    bureau: BureauCode,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    /** IANA name; null where nobody gave it. */
    timeZone: Type.Union([Type.Null(), Type.String({ maxLength: 64 })]),
    /** Degrees north and east; null where nobody gave them. */
    latitude: Type.Union([Type.Null(), Type.Number({ minimum: -90, maximum: 90 })]),
    longitude: Type.Union([Type.Null(), Type.Number({ minimum: -180, maximum: 180 })]),
  },
  { additionalProperties: false },
);
export type RegisteredSite = Static<typeof RegisteredSite>;

/** `sites` is missing in a registry that was written before there was a map. */
export const Registry = Type.Object(
  {
    v: Type.Literal(1),
    terminals: Type.Array(RegisteredTerminal),
    sites: Type.Optional(Type.Array(RegisteredSite)),
  },
  { additionalProperties: false },
);
export type Registry = Static<typeof Registry>;
