import type { Identity, Role, TokenRow } from '#contracts/api/accounts.ts';
import { ok, type Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { CheckpostError } from '#runtime/errors.ts';
import type { Db, Tx } from '../store/index.ts';
import { identityOf, keptAccount } from './accounts.ts';
import { audit } from './audit.ts';
import { atLeast, lesser, within } from './roles.ts';
import { hashSecret, newSecret } from './secret.ts';

/** What every token begins with, so that a leaked one is found by a search. */
export const tokenPrefix = 'checkpost_';
const dayMillis = 86_400_000;
const touchMillis = 60_000;

interface Kept {
  id: number;
  title: string;
  account: string;
  role: Role;
  created_at: string;
  expires_at: string;
  last_seen: string | null;
}

/** Tokens of programs. Each has at most the rights that the account which made it has now; only its hash is kept. */
export class Tokens {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #openIdDays: number;

  /** `openIdDays`: so long after its person signed in last a token of an account of the provider is in force. */
  constructor(db: Db, clock: Clock, openIdDays: number) {
    this.#db = db;
    this.#clock = clock;
    this.#openIdDays = openIdDays;
  }

  /** Faults: ACCESS_REFUSED where the role is above that of whoever asks. */
  async make(
    wanted: { title: string; role: Role; days: number },
    by: Identity,
  ): Promise<Result<{ token: string; row: TokenRow }>> {
    const token = `${tokenPrefix}${newSecret()}`;
    const now = this.#clock.wall();
    const at = instant(now);
    const expires = instant(wall(now + wanted.days * dayMillis));
    return this.#db.transaction(async (tx) => {
      if (!atLeast(by.role, wanted.role))
        throw new CheckpostError('ACCESS_REFUSED', `A ${by.role} cannot make a token for a ${wanted.role}.`);
      await tx.run('DELETE FROM tokens WHERE expires_at < ?', at);
      await tx.run(
        'INSERT INTO tokens (hash, title, account, role, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
        hashSecret(token),
        wanted.title,
        by.name,
        wanted.role,
        at,
        expires,
      );
      const kept = await tx.get<Kept>('SELECT * FROM tokens WHERE hash = ?', hashSecret(token));
      if (kept === undefined) throw new CheckpostError('INTERNAL', 'The token is not there.');
      await audit(tx, {
        at,
        by: by.name,
        action: 'token',
        bureau: by.bureau,
        text: `Token ${kept.id} (${wanted.title}) was made: ${wanted.role}, until ${expires}.`,
      });
      return { token, row: rowOf(kept) };
    });
  }

  /** Own ones; an administrator sees those of every account within reach. */
  async list(of: Identity): Promise<Result<TokenRow[]>> {
    const rows = await this.#db.read(async (tx) => {
      const kept = await tx.all<Kept & { bureau: string | null }>(
        'SELECT tokens.*, accounts.bureau FROM tokens JOIN accounts ON accounts.name = tokens.account ORDER BY id',
      );
      return kept.filter((row) => reaches(of, row));
    });
    return rows.ok ? ok(rows.value.map(rowOf)) : rows;
  }

  /** Faults: NOT_FOUND, also where it is out of reach. */
  async revoke(id: number, by: Identity): Promise<Result<void>> {
    return this.#db.transaction(async (tx) => {
      const kept = await tx.get<Kept & { bureau: string | null }>(
        'SELECT tokens.*, accounts.bureau FROM tokens JOIN accounts ON accounts.name = tokens.account WHERE id = ?',
        id,
      );
      if (kept === undefined || !reaches(by, kept))
        throw new CheckpostError('NOT_FOUND', `There is no token ${id}.`);
      await tx.run('DELETE FROM tokens WHERE id = ?', id);
      await audit(tx, {
        at: instant(this.#clock.wall()),
        by: by.name,
        action: 'token',
        bureau: kept.bureau,
        text: `Token ${id} (${kept.title}) of ${kept.account} was revoked.`,
      });
      tx.announce('account', kept.account);
    });
  }

  /** Whose token this is, if it is in force. */
  async find(token: string): Promise<Result<Identity | undefined>> {
    if (!token.startsWith(tokenPrefix)) return ok(undefined);
    const hash = hashSecret(token);
    const now = this.#clock.wall();
    const found = await this.#db.read((tx) => this.#inForce(tx, hash, now));
    if (!found.ok) return found;
    if (found.value === undefined) return ok(undefined);
    const { kept, identity } = found.value;
    if (kept.last_seen === null || Date.parse(kept.last_seen) + touchMillis < now)
      await this.#db.transaction((tx) =>
        tx.run('UPDATE tokens SET last_seen = ? WHERE id = ?', instant(now), kept.id),
      );
    return ok(identity);
  }

  async #inForce(tx: Tx, hash: string, now: number): Promise<{ kept: Kept; identity: Identity } | undefined> {
    const sql = 'SELECT * FROM tokens WHERE hash = ? AND expires_at > ?';
    const kept = await tx.get<Kept>(sql, hash, instant(wall(now)));
    if (kept === undefined) return undefined;
    const account = await keptAccount(tx, kept.account);
    if (account === undefined || account.disabled === 1) return undefined;
    // That a person was taken away is known to the provider alone, which is asked when somebody signs in.
    const seen = account.last_seen === null ? 0 : Date.parse(account.last_seen);
    if (account.origin === 'openid' && seen + this.#openIdDays * dayMillis < now) return undefined;
    const maker = identityOf(account);
    return { kept, identity: { ...maker, role: lesser(kept.role, maker.role) } };
  }
}

function reaches(identity: Identity, row: { account: string; bureau: string | null }): boolean {
  return row.account === identity.name || (identity.role === 'administrator' && within(identity, row.bureau));
}

function rowOf(kept: Kept): TokenRow {
  const { id, title, account, role } = kept;
  return {
    id,
    title,
    account,
    role,
    createdAt: kept.created_at,
    expiresAt: kept.expires_at,
    lastSeen: kept.last_seen,
  };
}
