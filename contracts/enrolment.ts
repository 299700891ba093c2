import Type, { type Static } from 'typebox';
import { SiteUplinks } from './fleet-network.ts';
import { BureauCode, Instant, SiteId, TerminalId, Uuid } from './names.ts';
import { AgentSettings } from './settings/agent.ts';
import { PresharedKey } from './settings/hub.ts';
import { UplinkName, UplinkNetwork, wireguardKeyPattern } from './settings/uplink.ts';
import { Pem, TrustedKeys } from './trusted-keys.ts';

export { TrustedKeys };

/**
 * What travels on the stick between the bureau's authority and a terminal that is being enrolled: bundle, request,
 * answer. Each is the payload of a signed envelope (formats/envelope.ts) of the type beside it. None holds a secret in
 * clear.
 */
export const bundleType = 'application/vnd.checkpost.bundle.v1+json';
export const requestType = 'application/vnd.checkpost.enrolment-request.v1+json';
export const answerType = 'application/vnd.checkpost.enrolment-answer.v1+json';

/** SHA-256 of a payload's exact bytes: binds a request to its bundle, and an answer to its request. */
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal' });
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: 8192 });

/** A place, as the authority knows it. */
export const Site = Type.Object(
  {
    id: SiteId,
    name: Type.String({ minLength: 1, maxLength: 100, description: 'Name of the place, in any script' }),
    timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'Time zone, IANA name' }),
    latitude: Type.Union([
      Type.Null(),
      Type.Number({ minimum: -90, maximum: 90, description: 'Degrees north' }),
    ]),
    longitude: Type.Union([
      Type.Null(),
      Type.Number({ minimum: -180, maximum: 180, description: 'Degrees east' }),
    ]),
    terminals: Type.Integer({ minimum: 1, maximum: 99, description: 'How many terminals stand there' }),
    /** Left out where nobody said how the site is connected: its terminals then get no tunnel. */
    uplinks: Type.Optional(SiteUplinks),
  },
  { additionalProperties: false },
);
export type Site = Static<typeof Site>;

/** A secret with an id as a file (`NamedSecretFile` of formats/keyed.ts): 32 bytes in hexadecimal. */
export const NamedSecretText = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,62}$' }),
    secret: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  { additionalProperties: false },
);

/**
 * `bundle.json` on the stick. Signed twice: by the authority's `configuration` key, and by the key that the enrolment
 * code gives. The second is what a terminal without any trust yet believes: whoever does not know the code cannot make
 * it, so that the code, told by other means, vouches for every byte of the bundle.
 */
export const Bundle = Type.Object(
  {
    v: Type.Literal(1),
    bureau: BureauCode,
    site: Site,
    terminal: TerminalId,
    centre: Type.Object(
      {
        central: AgentSettings.properties.central.properties.url,
        fleet: AgentSettings.properties.fleet.properties.url,
        /** Where a terminal with a network is enrolled without a second trip; left out where there is no such service. */
        enrolment: Type.Optional(AgentSettings.properties.central.properties.url),
      },
      { additionalProperties: false },
    ),
    /** Root certificate that the centre is trusted by. */
    authority: Pem,
    trusted: TrustedKeys.properties.keys,
    /** Root of trust of the bureau's editions: `root.json` of The Update Framework, as text, to the byte. */
    editionsRoot: Type.String({ minLength: 2, maxLength: 65_536 }),
    readers: AgentSettings.properties.readers,
    profiles: AgentSettings.properties.profiles,
    /** Addresses of this terminal, its uplinks and the hubs; left out where it has no tunnel. */
    network: Type.Optional(UplinkNetwork),
    token: Type.Object(
      { id: Uuid, salt: Type.String({ pattern: '^[0-9a-f]{32}$' }), madeAt: Instant, expiresAt: Instant },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type Bundle = Static<typeof Bundle>;

const WireguardKey = Type.String({ pattern: wireguardKeyPattern, description: 'Public key of WireGuard' });

/** The public keys that hubs must know of a terminal at first. */
export const WireguardKeys = Type.Object(
  {
    tunnel: WireguardKey,
    probes: Type.Array(
      Type.Object({ uplink: UplinkName, publicKey: WireguardKey }, { additionalProperties: false }),
      { maxItems: 8 },
    ),
  },
  { additionalProperties: false },
);
export type WireguardKeys = Static<typeof WireguardKeys>;

/** `request.json`: signed by the key that the enrolment code gives, which proves the token. */
export const EnrolmentRequest = Type.Object(
  {
    v: Type.Literal(1),
    token: Uuid,
    bundle: Digest,
    terminal: TerminalId,
    /** PKCS#10 (RFC 2986): proves possession of the terminal's TLS key. */
    certificateRequest: Pem,
    /** The terminal's X25519 public key, SubjectPublicKeyInfo in DER. */
    wrappingKey: Base64,
    /** Public keys of its tunnel and probe tunnels, where the bundle has a network. */
    wireguard: Type.Optional(WireguardKeys),
  },
  { additionalProperties: false },
);
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

/** `Wrapped` of formats/sealed.ts. */
export const WrappedSecret = Type.Object(
  { ephemeral: Base64, sealed: Base64 },
  { additionalProperties: false },
);

/** `answer.json`: signed by the authority's `enrolment` key; the secrets are wrapped to the request's key. */
export const EnrolmentAnswer = Type.Object(
  {
    v: Type.Literal(1),
    request: Digest,
    terminal: TerminalId,
    /** Certificate of the terminal, then the one that issued it. */
    certificate: Pem,
    fingerprint: WrappedSecret,
    /** While the editions that are published were still made with the key before: that one. */
    fingerprintBefore: Type.Optional(WrappedSecret),
    auditDigest: WrappedSecret,
    /** `PresharedKeys`, where the terminal has a tunnel. */
    presharedKeys: Type.Optional(WrappedSecret),
    issuedAt: Instant,
  },
  { additionalProperties: false },
);
export type EnrolmentAnswer = Static<typeof EnrolmentAnswer>;

/** The preshared keys of WireGuard of one terminal, by the name of the hub. */
export const PresharedKeys = Type.Record(Type.String(), PresharedKey);
export type PresharedKeys = Static<typeof PresharedKeys>;

export type EnrolmentSecret = 'fingerprint' | 'fingerprint-before' | 'audit-digest' | 'preshared-keys';

/** What a wrapped secret is bound to: its name and the request that it answers. */
export function wrapContext(secret: EnrolmentSecret, request: string): string {
  return `enrolment ${secret} ${request}`;
}
