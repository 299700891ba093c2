import { readFileSync } from 'node:fs';
import * as client from 'openid-client';
import { AccountName, type Role, roles } from '#contracts/api/accounts.ts';
import { BureauCode } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { ConsoleSettings } from '#contracts/settings/console.ts';
import { ms, wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseValue } from '#runtime/parse.ts';
import type { Db, WriteTx } from '../store/index.ts';
import type { OpenIdPerson } from './accounts.ts';
import { hashSecret, newSecret } from './secret.ts';

export type OpenIdSettings = NonNullable<ConsoleSettings['openIdConnect']>;

export interface OpenIdParts {
  readonly settings: OpenIdSettings;
  readonly db: Db;
  readonly clock: Clock;
  /** Address of the callback, as the provider knows it. */
  readonly callback: () => string;
}

/** Somebody has so long to sign in at the provider. */
const patience = ms(600_000);
/** So many may be at the provider at once. */
const mostBegun = 10_000;
/** What the provider says of itself is asked for again after so long. */
const discoveryMillis = 600_000;
const requestSeconds = 10;
/** Marked as deprecated only to stand out: it is for a provider on this machine itself. */
// oxlint-disable-next-line typescript/no-deprecated
const plainHttp = client.allowInsecureRequests;

/**
 * Signing in with OpenID Connect: authorization code with PKCE (RFC 7636), state and nonce; the ID token's signature is
 * verified by the provider's keys. The one file that imports `openid-client`.
 */
export class OpenId {
  readonly #parts: OpenIdParts;
  #known: { at: number; configuration: client.Configuration } | undefined;

  constructor(parts: OpenIdParts) {
    this.#parts = parts;
  }

  get title(): string {
    return this.#parts.settings.title;
  }

  /** Where to send the browser, and the state that its cookie must bring back. Faults: OPENID_FAILED, the store's. */
  async begin(): Promise<Result<{ location: string; state: string }>> {
    const { db, clock, settings, callback } = this.#parts;
    const configuration = await this.#configuration();
    if (!configuration.ok) return configuration;
    const [state, nonce, verifier] = [newSecret(), newSecret(), client.randomPKCECodeVerifier()];
    const now = clock.wall();
    const kept = await db.transaction(async (tx) => {
      await tx.run('DELETE FROM openid_starts WHERE at < ?', instant(wall(now - patience)));
      await forgetSome(tx);
      await tx.run(
        'INSERT INTO openid_starts (hash, verifier, nonce, at) VALUES (?, ?, ?, ?)',
        hashSecret(state),
        verifier,
        nonce,
        instant(now),
      );
    });
    if (!kept.ok) return kept;
    const location = client.buildAuthorizationUrl(configuration.value, {
      redirect_uri: callback(),
      scope: settings.scope,
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return ok({ location: location.href, state });
  }

  /**
   * Whom the provider has signed in, by the query that it sent the browser back with. `state` is that of the browser's
   * cookie: an answer that was begun in another browser is refused. Each works once. Fault: OPENID_FAILED.
   */
  async finish(query: string, state: string): Promise<Result<OpenIdPerson>> {
    const { db, clock, callback } = this.#parts;
    const since = instant(wall(clock.wall() - patience));
    const begun = await db.transaction(async (tx) => {
      const hash = hashSecret(state);
      const start = await tx.get<{ verifier: string; nonce: string; at: string }>(
        'SELECT verifier, nonce, at FROM openid_starts WHERE hash = ?',
        hash,
      );
      // Two answers at once: whoever takes the row away is the one.
      return (await tx.run('DELETE FROM openid_starts WHERE hash = ?', hash)) === 1 ? start : undefined;
    });
    if (!begun.ok) return begun;
    if (begun.value === undefined || begun.value.at < since)
      return fail('OPENID_FAILED', 'It was not begun in this browser, or took too long.');
    const { verifier, nonce } = begun.value;
    const configuration = await this.#configuration();
    if (!configuration.ok) return configuration;
    try {
      const answer = await client.authorizationCodeGrant(
        configuration.value,
        new URL(`${callback()}?${query}`),
        { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true },
      );
      return personOf(answer.claims() ?? {}, this.#parts.settings);
    } catch (cause) {
      return failed(cause);
    }
  }

  async #configuration(): Promise<Result<client.Configuration>> {
    const { settings, clock } = this.#parts;
    const now = clock.monotonic();
    if (this.#known !== undefined && now - this.#known.at < discoveryMillis)
      return ok(this.#known.configuration);
    const secret = readSecret(settings.clientSecretFile);
    if (!secret.ok) return secret;
    try {
      const configuration = await client.discovery(
        new URL(settings.issuer),
        settings.clientId,
        undefined,
        secret.value === undefined ? client.None() : client.ClientSecretBasic(secret.value),
        {
          timeout: requestSeconds,
          // Signatures are verified, although TLS alone would do (OpenID Connect Core 1.0, section 3.1.3.7).
          execute: [client.enableNonRepudiationChecks, ...(isLocal(settings.issuer) ? [plainHttp] : [])],
        },
      );
      this.#known = { at: now, configuration };
      return ok(configuration);
    } catch (cause) {
      return failed(cause);
    }
  }
}

/** Nobody need be anybody to begin: what is begun beyond `mostBegun` makes room. */
async function forgetSome(tx: WriteTx): Promise<void> {
  const { n } = (await tx.get<{ n: number }>('SELECT count(*) AS n FROM openid_starts')) ?? { n: 0 };
  if (n < mostBegun) return;
  await tx.run(
    'DELETE FROM openid_starts WHERE hash IN (SELECT hash FROM openid_starts ORDER BY at LIMIT ?)',
    n - mostBegun + mostBegun / 10,
  );
}

/** The person that the claims name: everything must be there, and nothing is guessed. */
export function personOf(
  claims: Readonly<Record<string, unknown>>,
  settings: OpenIdSettings,
): Result<OpenIdPerson> {
  const { nameClaim, roleClaim, bureauClaim } = settings;
  const given = claims[nameClaim];
  const name = parseValue(AccountName, typeof given === 'string' ? given.toLowerCase() : '', 'OPENID_FAILED');
  if (!name.ok) return fail('OPENID_FAILED', `The claim ${nameClaim} has no name that an account may have.`);
  const said: readonly unknown[] = [claims[roleClaim]].flat();
  const role = roles.findLast((one) => said.includes(one)) satisfies Role | undefined;
  if (role === undefined) return fail('OPENID_FAILED', `The claim ${roleClaim} names no role.`);
  const where = claims[bureauClaim];
  if (where !== '*' && !parseValue(BureauCode, where, 'OPENID_FAILED').ok)
    return fail('OPENID_FAILED', `The claim ${bureauClaim} names neither a bureau nor all of them.`);
  const bureau = where === '*' || typeof where !== 'string' ? null : where;
  return ok({ name: name.value, role, bureau, subject: `${String(claims['iss'])} ${String(claims['sub'])}` });
}

/** The provider's answers are for the operator; tokens and codes are never part of them. */
function failed(cause: unknown): Result<never> {
  const inner = cause instanceof Error && cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  const text = cause instanceof Error ? `${cause.message}${inner}` : 'It failed';
  return fail('OPENID_FAILED', `${text} (${systemCode(cause) ?? 'no code'}).`, cause);
}

function readSecret(file: string | undefined): Result<string | undefined> {
  if (file === undefined) return ok(undefined);
  try {
    return ok(readFileSync(file, 'utf8').trim());
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file}: ${systemCode(cause) ?? 'it cannot be read'}.`, cause);
  }
}

function isLocal(url: string): boolean {
  return /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(\/|$)/.test(url);
}
