import Type, { type Static, type TSchema } from 'typebox';
import { BureauCode, Instant, SiteId, TerminalId } from './names.ts';
import { AgentSettings } from './settings/agent.ts';

/**
 * The configuration that the centre wants a terminal to run: layers over what enrolment wrote into `agent.json`, from
 * the whole fleet to one terminal. A later layer wins over an earlier one, value by value; a list is one value.
 *
 * Nothing can be set that these schemas do not name. What opens a terminal to harm is not among them or needs a key that
 * is kept offline: age limits (`LimitValues`) and the hubs of the uplink.
 */
export const layerNames = ['fleet', 'bureau', 'site', 'terminal'] as const;
export type LayerName = (typeof layerNames)[number];
export const LayerName = Type.Unsafe<LayerName>(Type.Enum([...layerNames]));

/** Whom a layer is for: `fleet` has no key; else the bureau, the site or the terminal. */
export const LayerScope = Type.Union([
  Type.Object({ layer: Type.Literal('fleet') }, { additionalProperties: false }),
  Type.Object({ layer: Type.Literal('bureau'), key: BureauCode }, { additionalProperties: false }),
  Type.Object({ layer: Type.Literal('site'), key: SiteId }, { additionalProperties: false }),
  Type.Object({ layer: Type.Literal('terminal'), key: TerminalId }, { additionalProperties: false }),
]);
export type LayerScope = Static<typeof LayerScope>;

const { central, fleet, edition, policy, audit, log, readers, profiles } = AgentSettings.properties;

/**
 * What a layer leaves out stays as it was, so a member of a layer has no default: whoever fills in defaults by this
 * schema fills in those inside a list alone, since a list is one value and must be whole.
 */
function bare<S extends TSchema>(schema: S): S {
  // The library marks its schemas by members that are not enumerated, which a spread would lose.
  const { default: _, ...members } = Object.getOwnPropertyDescriptors<object & { default?: unknown }>(schema);
  // Without its default it allows exactly the same values.
  return Object.defineProperties({}, members) as S;
}

/** Some members of a group of settings, each of which may be left out. */
function some<P extends Record<string, TSchema>, K extends keyof P & string>(
  of: { readonly properties: P; readonly description?: string },
  names: readonly K[],
) {
  const picked = Object.fromEntries(names.map((name) => [name, bare<P[K]>(of.properties[name])])) as Pick<
    P,
    K
  >;
  return Type.Partial(Type.Object(picked, { additionalProperties: false }), {
    additionalProperties: false,
    ...(of.description !== undefined && { description: of.description }),
  });
}

/** What a layer may set, signed by the controller's online key. */
export const LayerValues = Type.Partial(
  Type.Object({
    readers: bare(readers),
    profiles: bare(profiles),
    central: some(central, ['url', 'deadlineMillis', 'probeMillis', 'retryMillis']),
    fleet: some(fleet, [
      'url',
      'keepAliveSeconds',
      'retryMillis',
      'resendMillis',
      'sampleMillis',
      'fullSeconds',
      'spreadSeconds',
    ]),
    edition: some(edition, ['pollSeconds', 'bytesPerSecond', 'compactPercent', 'compactDays']),
    policy: some(policy, ['editionWarnAgeSeconds', 'repeatMillis']),
    audit: some(audit, ['headEvery']),
    log: some(log, ['level']),
  }),
  { additionalProperties: false },
);
export type LayerValues = Static<typeof LayerValues>;

/** Age limits: signed by the offline `configuration` key of the bureau. */
export const LimitValues = Type.Object(
  { policy: some(policy, ['editionMaxAgeSeconds', 'cacheMaxAgeSeconds']) },
  { additionalProperties: false },
);
export type LimitValues = Static<typeof LimitValues>;

const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** DSSE envelope (formats/envelope.ts), as it was signed. */
export const SignedEnvelope = Type.Object(
  {
    payloadType: Type.String({ maxLength: 128 }),
    payload: Type.String({ maxLength: 131_072 }),
    signatures: Type.Array(
      Type.Object(
        { keyid: Type.String({ maxLength: 64 }), sig: Type.String({ maxLength: 256 }) },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 8 },
    ),
  },
  { additionalProperties: false },
);
export type SignedEnvelope = Static<typeof SignedEnvelope>;

/** Payload of signed limits; key role `configuration`. A version that is not higher than the one known is refused. */
export const limitsType = 'application/vnd.checkpost.limits.v1+json';
export const SignedLimits = Type.Object(
  { v: Type.Literal(1), version: Version, scope: LayerScope, values: LimitValues },
  { additionalProperties: false },
);
export type SignedLimits = Static<typeof SignedLimits>;

/**
 * Payload of topic `desired` (retained; a `SignedEnvelope` as JSON); key role `commands`, which is the controller's online
 * key. `version` rises with every change for this terminal. `limits` and `uplink` are envelopes of the offline key, passed
 * on as they are; `uplink` is for the helper (contracts/uplink.ts, `configurationType`), which has a probation of its own.
 */
export const desiredType = 'application/vnd.checkpost.desired.v1+json';
export const Desired = Type.Object(
  {
    v: Type.Literal(1),
    terminal: TerminalId,
    version: Version,
    at: Instant,
    layers: Type.Array(
      Type.Object({ scope: LayerScope, values: LayerValues }, { additionalProperties: false }),
      { maxItems: 4 },
    ),
    limits: Type.Array(SignedEnvelope, { maxItems: 4 }),
    uplink: Type.Union([Type.Null(), SignedEnvelope]),
  },
  { additionalProperties: false },
);
export type Desired = Static<typeof Desired>;

/** Where the value of a setting comes from: `enrolled` is `agent.json`, `limits` the offline key. */
export const settingSources = ['default', 'enrolled', ...layerNames, 'limits'] as const;
export type SettingSource = (typeof settingSources)[number];

/**
 * Topic `reported` (retained): the configuration that the terminal runs, and why. `current` runs and is confirmed;
 * `probation` runs and has not been confirmed by the centre yet; `undone` went back by itself to `running` and refuses
 * `refused.version` until a higher one comes; `refused` never ran it.
 */
export const Reported = Type.Object(
  {
    v: Type.Literal(1),
    session: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** The version that runs; 0 is what enrolment wrote alone. */
    running: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    state: Type.Union([
      Type.Literal('current'),
      Type.Literal('probation'),
      Type.Literal('undone'),
      Type.Literal('refused'),
    ]),
    since: Instant,
    /**
     * What was refused or undone last, with the code of the error and what was found. Version 0 stands for one whose
     * version cannot be believed: it was not signed, was for another terminal, or lay damaged on the disk.
     */
    refused: Type.Union([
      Type.Null(),
      Type.Object(
        {
          version: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
          code: Type.String({ pattern: '^[A-Z_]{1,48}$' }),
          detail: Type.String({ maxLength: 500 }),
        },
        { additionalProperties: false },
      ),
    ]),
    /** Every setting that is not a default, by its dotted path: who set it, and its value. */
    settings: Type.Array(
      Type.Object(
        {
          path: Type.String({ maxLength: 128 }),
          source: Type.Unsafe<SettingSource>(Type.Enum([...settingSources])),
          value: Type.Unknown(),
        },
        { additionalProperties: false },
      ),
      { maxItems: 128 },
    ),
  },
  { additionalProperties: false },
);
export type Reported = Static<typeof Reported>;
