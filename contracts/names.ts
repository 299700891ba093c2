import Type, { type Static } from 'typebox';

/** Names that cross wires and disks, each with its form. */

/** ISO 3166-1 alpha-3 code of a bureau; UTO is the specimen state of ICAO Doc 9303. */
export const BureauCode = Type.String({
  pattern: '^[A-Z]{3}$',
  description: 'Bureau: ISO 3166-1 alpha-3 code',
});

/** A site's id: the bureau's code, a hyphen and four digits. */
export const SiteId = Type.String({
  pattern: '^[A-Z]{3}-[0-9]{4}$',
  description: 'Site, for example UTO-0001',
});

/** A terminal's id: unique in the fleet, the common name of its certificate and its part of every topic. */
export const TerminalId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9-]{0,62}$',
  description: 'Terminal, for example UTO-0001-1: letters, digits and hyphens, at most 63',
});
export type TerminalId = Static<typeof TerminalId>;

/** A reader's id on its terminal. */
export const ReaderId = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,31}$',
  description: 'Reader, for example counter-1: lower-case letters, digits and hyphens, at most 32',
});
export type ReaderId = Static<typeof ReaderId>;

/** In place of a reader's id where an officer typed; no reader may be called so. */
export const typedReader = 'typed';

/** Any UUID in lower case; those that we make are version 7 (RFC 9562), so that they sort by time. */
export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID (RFC 9562)',
});
export type Uuid = Static<typeof Uuid>;

/** An instant in UTC with milliseconds, RFC 3339. */
export const Instant = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?Z$',
  description: 'Instant in UTC, RFC 3339, for example 2026-11-24T08:15:30.125Z',
});

/** A day, ISO 8601. */
export const Day = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  description: 'Day, for example 2026-11-24',
});

/** How far the clock can be believed: verified in this boot against the centre, or not. */
export const ClockState = Type.Union([Type.Literal('verified'), Type.Literal('unverified')]);
export type ClockState = Static<typeof ClockState>;

/** Number of an edition: each is one more than the one before, and never 0. */
export const EditionNumber = Type.Integer({
  minimum: 1,
  maximum: 0xffff_ffff,
  description: 'Number of an edition',
});

/** The searchable sets. */
export const CollectionName = Type.Union([Type.Literal('sltd')], {
  description: 'Collection: sltd is stolen and lost travel documents',
});
export type CollectionName = Static<typeof CollectionName>;
