import type { Identity } from '#contracts/api/accounts.ts';
import { ok, type Result } from '#contracts/result.ts';
import { type Millis, wall, type WallTime } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Db, WriteTx } from '../store/index.ts';
import { identityOf, keptAccount } from './accounts.ts';
import { audit } from './audit.ts';
import { hashSecret, newSecret } from './secret.ts';

export interface SessionParts {
  readonly db: Db;
  readonly clock: Clock;
  /** Ends after so long without a request or an open page. */
  readonly idle: Millis;
  /** Ends after so long in any case. */
  readonly longest: Millis;
}

/** Last use is written at most this often. */
const touchMillis = 60_000;

/** Sessions of browsers: a random cookie, of which only the hash is kept. */
export class Sessions {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Begins a session; the answer is the cookie. */
  async begin(identity: Identity, how: string): Promise<Result<string>> {
    const { db, clock, longest, idle } = this.#parts;
    const cookie = newSecret();
    const now = clock.wall();
    const at = instant(now);
    const made = await db.transaction(async (tx) => {
      await tx.run(
        'DELETE FROM sessions WHERE created_at < ? OR last_seen < ?',
        before(now, longest),
        before(now, idle),
      );
      await tx.run('INSERT INTO sessions VALUES (?, ?, ?, ?)', hashSecret(cookie), identity.name, at, at);
      await tx.run('UPDATE accounts SET last_seen = ? WHERE name = ?', at, identity.name);
      const { name: by, bureau } = identity;
      await audit(tx, { at, by, action: 'sign-in', bureau, text: `${by} signed in ${how}.` });
    });
    return made.ok ? ok(cookie) : made;
  }

  /** Whose session this is, if it is in force: with the rights that the account has now. */
  async find(cookie: string): Promise<Result<Identity | undefined>> {
    const { db, clock, idle, longest } = this.#parts;
    const hash = hashSecret(cookie);
    const now = clock.wall();
    const found = await db.read(async (tx) => {
      const session = await tx.get<{ account: string; created_at: string; last_seen: string }>(
        'SELECT account, created_at, last_seen FROM sessions WHERE hash = ?',
        hash,
      );
      if (session === undefined) return undefined;
      if (session.created_at < before(now, longest) || session.last_seen < before(now, idle))
        return undefined;
      const account = await keptAccount(tx, session.account);
      if (account === undefined || account.disabled === 1) return undefined;
      return { identity: identityOf(account), seen: session.last_seen };
    });
    if (!found.ok) return found;
    if (found.value === undefined) return ok(undefined);
    if (Date.parse(found.value.seen) + touchMillis < now) await this.#touch(hash, found.value.identity.name);
    return ok(found.value.identity);
  }

  async end(cookie: string): Promise<Result<void>> {
    const hash = hashSecret(cookie);
    return this.#parts.db.transaction(async (tx: WriteTx) => {
      const session = await tx.get<{ account: string }>('SELECT account FROM sessions WHERE hash = ?', hash);
      if (session === undefined) return;
      await tx.run('DELETE FROM sessions WHERE hash = ?', hash);
      tx.announce('account', session.account);
    });
  }

  /** What fails here is no reason to refuse anybody: the next request tries again. */
  async #touch(hash: string, account: string): Promise<void> {
    const at = instant(this.#parts.clock.wall());
    await this.#parts.db.transaction(async (tx) => {
      await tx.run('UPDATE sessions SET last_seen = ? WHERE hash = ?', at, hash);
      await tx.run('UPDATE accounts SET last_seen = ? WHERE name = ?', at, account);
    });
  }
}

function before(now: WallTime, span: Millis): string {
  return instant(wall(now - span));
}
