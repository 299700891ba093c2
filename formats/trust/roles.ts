import { createHash } from 'node:crypto';
import Type, { type Static, type TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { EditionTarget, type NamedTarget, targetName } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Bytes, bytes, type WallTime, wall } from '#contracts/units.ts';

/**
 * The four files of The Update Framework's metadata (specification 1.0, § 4) as we write and read them: Ed25519 keys,
 * SHA-256, consistent snapshots, no delegations. What else a file may be by the specification is refused.
 */
export type RoleName = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** The longest file of each role that is read. */
export const maxBytes: Readonly<Record<RoleName, Bytes>> = {
  root: bytes(65_536),
  timestamp: bytes(16_384),
  snapshot: bytes(65_536),
  targets: bytes(1_048_576),
};

/** What the timestamp says of the snapshot, and the snapshot of the targets. */
export interface Listing {
  readonly version: number;
  readonly bytes: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
}

/** Whose signatures a role needs. */
export interface RoleKeys {
  readonly keyids: readonly string[];
  /** How many different keys of them must have signed. */
  readonly threshold: number;
}

interface Says {
  readonly root: { readonly roles: Readonly<Record<RoleName, RoleKeys>> };
  readonly timestamp: { readonly snapshot: Listing };
  readonly snapshot: { readonly targets: Listing };
  readonly targets: { readonly files: readonly NamedTarget[] };
}

/** One file of metadata whose form is right; whether it may be believed is another question. */
export interface RoleFile<R extends RoleName = RoleName> {
  readonly role: R;
  /** The file as it was read, to be kept as it is. */
  readonly bytes: Buffer;
  /** From 1 on. */
  readonly version: number;
  /** From this moment on it must not be believed any more. */
  readonly expires: WallTime;
  readonly says: Says[R];
  /** Its JSON, for the signature check only. */
  readonly json: unknown;
}

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const strict = { additionalProperties: false };

const Listed = (most: Bytes) =>
  Type.Object(
    {
      version: Version,
      length: Type.Integer({ minimum: 1, maximum: most }),
      hashes: Type.Object({ sha256: Hash }, strict),
    },
    strict,
  );

const KeysOfRole = Type.Object(
  {
    keyids: Type.Array(Hash, { minItems: 1, maxItems: 64, uniqueItems: true }),
    threshold: Type.Integer({ minimum: 1, maximum: 64 }),
  },
  strict,
);

const PublicKey = Type.Object(
  {
    keytype: Type.Literal('ed25519'),
    scheme: Type.Literal('ed25519'),
    keyval: Type.Object({ public: Hash }, strict),
  },
  strict,
);

const TargetFile = Type.Object(
  {
    length: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    hashes: Type.Object({ sha256: Hash }, strict),
    custom: EditionTarget,
  },
  strict,
);

/** Fields of `signed` that are not known are ignored (§ 4.2), but are part of what is signed. */
const file = <R extends RoleName, S extends Record<string, TSchema>>(role: R, fields: S) =>
  Type.Object(
    {
      signatures: Type.Array(
        Type.Object({ keyid: Hash, sig: Type.String({ pattern: '^[0-9a-f]{128}$' }) }, strict),
        { maxItems: 64 },
      ),
      signed: Type.Object({
        _type: Type.Literal(role),
        spec_version: Type.String({ pattern: '^1\\.[0-9]{1,4}(\\.[0-9]{1,4})?$' }),
        version: Version,
        expires: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$' }),
        ...fields,
      }),
    },
    strict,
  );

const RootFile = file('root', {
  consistent_snapshot: Type.Literal(true),
  keys: Type.Record(Type.String(), PublicKey, { maxProperties: 256 }),
  roles: Type.Object(
    { root: KeysOfRole, timestamp: KeysOfRole, snapshot: KeysOfRole, targets: KeysOfRole },
    strict,
  ),
});
const TimestampFile = file('timestamp', {
  meta: Type.Object({ 'snapshot.json': Listed(maxBytes.snapshot) }, strict),
});
const SnapshotFile = file('snapshot', {
  meta: Type.Object({ 'targets.json': Listed(maxBytes.targets) }, strict),
});
const TargetsFile = file('targets', {
  // The library's time grows with the square of their number; 1,024 take it 150 ms.
  targets: Type.Record(Type.String(), TargetFile, { maxProperties: 1024 }),
});

/** The JSON of one file, for whoever writes it. */
export interface RoleJson {
  readonly root: Static<typeof RootFile>['signed'];
  readonly timestamp: Static<typeof TimestampFile>['signed'];
  readonly snapshot: Static<typeof SnapshotFile>['signed'];
  readonly targets: Static<typeof TargetsFile>['signed'];
}

/** A public key as the root lists it; `value` is its 32 bytes, hexadecimal. */
export function publicKeyJson(value: string): Static<typeof PublicKey> {
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: value } };
}

/**
 * The id of a key: SHA-256 of its canonical JSON (§ 4.2), which for these four fields is this text. Ids that are not
 * computed so are refused, since one key under two ids would count twice towards a threshold.
 */
export function keyId(value: string): string {
  const text = `{"keytype":"ed25519","keyval":{"public":"${value}"},"scheme":"ed25519"}`;
  return createHash('sha256').update(text).digest('hex');
}

const listing = (listed: { version: number; length: number; hashes: { sha256: string } }): Listing => ({
  version: listed.version,
  bytes: listed.length,
  sha256: listed.hashes.sha256,
});

type Content<R extends RoleName> = Result<{ version: number; expires: string; says: Says[R] }, string>;

const contents: { readonly [R in RoleName]: (json: unknown) => Content<R> } = {
  root(json) {
    if (!Check(RootFile, json)) return misfit(RootFile, json);
    const { keys, roles, version, expires } = json.signed;
    const alias = Object.entries(keys).find(([id, key]) => keyId(key.keyval.public) !== id);
    if (alias !== undefined) return { ok: false, fault: `The id ${short(alias[0])} is not that of its key.` };
    return ok({ version, expires, says: { roles } });
  },
  timestamp(json) {
    if (!Check(TimestampFile, json)) return misfit(TimestampFile, json);
    const { meta, version, expires } = json.signed;
    return ok({ version, expires, says: { snapshot: listing(meta['snapshot.json']) } });
  },
  snapshot(json) {
    if (!Check(SnapshotFile, json)) return misfit(SnapshotFile, json);
    const { meta, version, expires } = json.signed;
    return ok({ version, expires, says: { targets: listing(meta['targets.json']) } });
  },
  targets(json) {
    if (!Check(TargetsFile, json)) return misfit(TargetsFile, json);
    const { targets, version, expires } = json.signed;
    // Terminals do not follow delegations, and would not see what is listed there.
    if ('delegations' in json.signed) return { ok: false, fault: 'It delegates to further roles.' };
    const files = Object.entries(targets).map(([name, { length, hashes, custom }]) => ({
      name,
      bytes: length,
      sha256: hashes.sha256,
      about: custom,
    }));
    const stranger = files.find(({ name, about }) => name !== targetName(about));
    if (stranger === undefined) return ok({ version, expires, says: { files } });
    return { ok: false, fault: `${short(stranger.name)} is described as ${targetName(stranger.about)}.` };
  },
};

/** Reads the form of a file, no signature. Fault: TRUST_DAMAGED. */
export function readRole<R extends RoleName>(role: R, bytes: Buffer): Result<RoleFile<R>> {
  const damaged = (why: string, cause?: unknown): Result<never> =>
    fail('TRUST_DAMAGED', `The file of the ${role} is damaged or is none: ${why}`, cause);
  if (bytes.length > maxBytes[role]) {
    return damaged(`it has ${bytes.length} bytes; at most ${maxBytes[role]} are read.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    return damaged(`its ${bytes.length} bytes are not JSON.`, cause);
  }
  const content = contents[role](json);
  if (!content.ok) return damaged(content.fault);
  const { version, says } = content.value;
  const expires = Date.parse(content.value.expires);
  // The 31st of February has the right form, and would be read as a day in March or as none.
  if (Number.isNaN(expires) || date(wall(expires)) !== content.value.expires) {
    return damaged(`${content.value.expires} is not a date.`);
  }
  return ok({ role, bytes, version, expires: wall(expires), says, json });
}

/** A moment as the metadata writes it: RFC 3339 in UTC, whole seconds, rounded down. */
export function date(at: WallTime): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function misfit(schema: TSchema, json: unknown): { ok: false; fault: string } {
  const places = Errors(schema, json)
    .slice(0, 3)
    .map((error) => `${short(error.instancePath) || 'the whole'} ${error.message}`);
  return { ok: false, fault: `${places.join('; ')}.` };
}

/** What an unsigned file says is shown, but not at any length. */
function short(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
