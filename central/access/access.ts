import { isIP } from 'node:net';
import type { Identity, MadeToken, NewToken, SessionState } from '#contracts/api/accounts.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { ConsoleSettings } from '#contracts/settings/console.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Static } from 'typebox';
import type { Announcement, Db } from '../store/index.ts';
import { Accounts } from './accounts.ts';
import { listAudit } from './audit.ts';
import { OpenId } from './openid.ts';
import { Passwords } from './passwords.ts';
import { csrfOf, sameText } from './secret.ts';
import { Sessions } from './sessions.ts';
import { Throttle } from './throttle.ts';
import { Tokens } from './tokens.ts';

export interface AccessParts {
  readonly settings: ConsoleSettings;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a request brings to say who asks. */
export interface Credentials {
  /** Value of the session's cookie. */
  readonly cookie: string | undefined;
  /** What stands behind `Authorization: Bearer`. */
  readonly token: string | undefined;
}

/** Who asks, and how that is known: only a request with a cookie can have been made by a foreign page. */
export interface Caller {
  readonly identity: Identity;
  readonly by: 'session' | 'token' | 'open';
}

/** Who everybody is where the console is open. */
const everybody: Identity = { name: 'open', role: 'administrator', bureau: null };

/** Who may come in and as whom: accounts, sessions, tokens, OpenID Connect, and the audit of all that is changed. */
export class Access {
  readonly open: boolean;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly openId: OpenId | undefined;
  readonly #parts: AccessParts;
  readonly #passwords = new Passwords();
  readonly #sessions: Sessions;
  readonly #throttle: Throttle;
  #url = '';

  private constructor(parts: AccessParts) {
    const { settings, db, clock } = parts;
    this.#parts = parts;
    this.open = settings.access === 'open';
    this.accounts = new Accounts({ db, clock, passwords: this.#passwords });
    this.tokens = new Tokens(db, clock, settings.openIdConnect?.tokenDays ?? 0);
    this.#throttle = new Throttle(clock);
    const [idle, longest] = [ms(settings.idleMinutes * 60_000), ms(settings.sessionHours * 3_600_000)];
    this.#sessions = new Sessions({ db, clock, idle, longest });
    this.openId =
      settings.openIdConnect === undefined
        ? undefined
        : new OpenId({ settings: settings.openIdConnect, db, clock, callback: () => this.callback });
  }

  /** Fault: SETTINGS_INVALID where it would be open to other machines. */
  static create(parts: AccessParts): Result<Access> {
    const { access, host, publicUrl } = parts.settings;
    if (access === 'open' && !isLoopback(host))
      return fail('SETTINGS_INVALID', `console.access is open, but console.host is ${host}: only 127.0.0.1.`);
    if (access === 'open' && publicUrl !== undefined)
      return fail('SETTINGS_INVALID', `console.access is open, but console.publicUrl is ${publicUrl}.`);
    return ok(new Access(parts));
  }

  /** The server says where it listens, since the port may have been a free one. */
  servedAt(url: string): void {
    this.#url = url;
  }

  get callback(): string {
    return `${this.#parts.settings.publicUrl ?? this.#url}/api/v1/session/openid/callback`;
  }

  /** Whether cookies may only go over TLS: always, but on this machine itself. */
  get secure(): boolean {
    const { publicUrl, host, tls } = this.#parts.settings;
    if (publicUrl !== undefined) return publicUrl.startsWith('https:');
    return tls !== undefined || !isLoopback(host);
  }

  /** Who asks. Fault: SIGN_IN_REQUIRED, or the store's. */
  async identify({ cookie, token }: Credentials): Promise<Result<Caller>> {
    if (this.open) return ok({ identity: everybody, by: 'open' });
    if (token !== undefined) return caller(await this.tokens.find(token), 'token');
    if (cookie !== undefined) return caller(await this.#sessions.find(cookie), 'session');
    return required;
  }

  /** Whether a change with this cookie was made by a page of ours. Fault: REQUEST_CROSS_SITE. */
  checkCsrf(cookie: string, header: string | undefined): Result<void> {
    return header !== undefined && sameText(header, csrfOf(cookie))
      ? ok(undefined)
      : fail('REQUEST_CROSS_SITE', 'The header x-checkpost-csrf is missing or wrong.');
  }

  state(identity: Identity | null, cookie: string | undefined): SessionState {
    return {
      identity,
      csrf: identity === null || cookie === undefined ? '' : csrfOf(cookie),
      openIdConnect: this.openId === undefined ? null : { title: this.openId.title },
      demo: this.open,
    };
  }

  /** Signs in with a password; the answer has the cookie. Faults: SIGN_IN_REFUSED, ATTEMPTS_EXCEEDED, the store's. */
  async signIn(
    name: string,
    password: string,
    address: string,
  ): Promise<Result<{ cookie: string; identity: Identity }>> {
    const free = this.#throttle.check(name, address);
    if (!free.ok) return free;
    if (this.#passwords.busy) return fail('ATTEMPTS_EXCEEDED', 'Wait for 2 s.');
    // Counted before it is known: many at once must not all be free.
    this.#throttle.wrong(name, address);
    const identity = await this.accounts.signIn(name, password);
    if (!identity.ok) return identity;
    if (identity.value === undefined) {
      this.#parts.log.warn('Signing in was refused', { account: name, address });
      return fail('SIGN_IN_REFUSED', '');
    }
    this.#throttle.right(name, address);
    return this.#begin(identity.value, `with a password from ${address}`);
  }

  /** The same with what the provider said of the browser. Faults: OPENID_FAILED, SIGN_IN_REFUSED, the store's. */
  async signInOpenId(
    openId: OpenId,
    query: string,
    state: string,
    address: string,
  ): Promise<Result<{ cookie: string; identity: Identity }>> {
    const person = await openId.finish(query, state);
    const identity = person.ok ? await this.accounts.signInOpenId(person.value) : person;
    if (!identity.ok) {
      this.#parts.log.warn('Signing in with OpenID Connect failed', {
        ...faultFields(identity.fault),
        address,
      });
      return identity;
    }
    return this.#begin(identity.value, `with OpenID Connect from ${address}`);
  }

  signOut(cookie: string): Promise<Result<void>> {
    return this.#sessions.end(cookie);
  }

  /** Makes a token. Faults: ACCESS_REFUSED, also where a token asks: it would outlive itself. */
  async makeToken(
    wanted: Static<typeof NewToken>,
    { by, identity }: Caller,
  ): Promise<Result<Static<typeof MadeToken>>> {
    if (by === 'session') return this.tokens.make(wanted, identity);
    return fail('ACCESS_REFUSED', by === 'open' ? 'Everybody may do everything.' : 'Sign in for that.');
  }

  audit(identity: Identity, page: { before?: number; limit: number }): ReturnType<typeof listAudit> {
    return listAudit(this.#parts.db, { ...page, bureau: identity.bureau });
  }

  /** Calls back when somebody's rights may have changed, in any process of the centre. */
  onChange(listener: () => void): () => void {
    return this.#parts.db.listen(({ kind }: Announcement) => {
      if (kind === 'account' || kind === 'all') listener();
    });
  }

  async #begin(identity: Identity, how: string): Promise<Result<{ cookie: string; identity: Identity }>> {
    const cookie = await this.#sessions.begin(identity, how);
    return cookie.ok ? ok({ cookie: cookie.value, identity }) : cookie;
  }
}

const required = fail('SIGN_IN_REQUIRED', '');

function caller(found: Result<Identity | undefined>, by: Caller['by']): Result<Caller> {
  if (!found.ok) return found;
  return found.value === undefined ? required : ok({ identity: found.value, by });
}

/** Whether only this machine itself can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
