import Type, { type Static } from 'typebox';
import { Instant, TerminalId, Uuid } from './names.ts';

/**
 * A diagnostic bundle: what whoever looks for a fault of a terminal needs of it, as one JSON object, gzip'd. It holds no
 * document, no name and no key: log lines have none by rule, settings name files only, and what looks like a secret all
 * the same is taken out.
 */
export const DiagnosticBundle = Type.Object(
  {
    v: Type.Literal(1),
    /** The id of the command that asked for it. */
    id: Uuid,
    terminal: TerminalId,
    at: Instant,
    /** Boot id of the machine. */
    boot: Type.String({ maxLength: 64 }),
    versions: Type.Record(Type.String(), Type.String()),
    /** As the officer's page has it (contracts/officer.ts). */
    status: Type.Unknown(),
    /** As it was reported last (contracts/health.ts). */
    health: Type.Unknown(),
    /** What the helper of the uplink says of itself (contracts/uplink.ts); null where there is none. */
    uplink: Type.Unknown(),
    /** The settings that run, and where they came from. */
    configuration: Type.Unknown(),
    /** Names of the members above that could not be had; they are null. */
    missing: Type.Array(Type.String()),
    log: Type.Object(
      {
        /** Newest last; each a line of JSON. */
        lines: Type.Array(Type.String()),
        /** Earlier lines since the start that are not here. */
        leftOut: Type.Integer({ minimum: 0 }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type DiagnosticBundle = Static<typeof DiagnosticBundle>;

/** Longest that a terminal sends, and longest that the centre takes, in bytes as they cross the wire. */
export const bundleBytes = 2_097_152;
export const bundleBytesTaken = 4_194_304;

/**
 * Upload, on the port of the lookup service with its mutual TLS: `HEAD /v1/bundles/{id}` says in `upload-offset` how many
 * bytes the centre has; `PATCH` brings what follows, with the headers below. A line that breaks costs what was on its
 * way: the centre keeps what came. With the last byte the centre compares the hash, and only then the bundle is there.
 */
export const bundlesPath = '/v1/bundles/';
export const bundleHeaders = {
  /** Of a request: where its bytes belong. Of an answer: how many the centre has. */
  offset: 'upload-offset',
  /** Bytes of the whole bundle. */
  length: 'upload-length',
  /** SHA-256 of the whole bundle, hexadecimal. */
  sha256: 'upload-sha256',
  /** Of an answer: `yes` where the bundle is whole and kept, else `no`. */
  complete: 'upload-complete',
} as const;
