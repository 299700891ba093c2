import type { AccountRow, Identity, Role } from '#contracts/api/accounts.ts';
import type { Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { CheckpostError } from '#runtime/errors.ts';
import type { Db, Tx, WriteTx } from '../store/index.ts';
import { audit } from './audit.ts';
import type { Passwords } from './passwords.ts';

export interface AccountParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly passwords: Passwords;
}

/** A person whom an OpenID provider has named. */
export interface OpenIdPerson extends Identity {
  /** Issuer and subject: stays the same when the name changes. */
  readonly subject: string;
}

export interface AccountChange {
  readonly role?: Role;
  readonly bureau?: string | null;
  readonly disabled?: boolean;
  readonly password?: string;
}

interface Kept {
  name: string;
  role: Role;
  bureau: string | null;
  origin: AccountRow['origin'];
  password: string | null;
  subject: string | null;
  disabled: number;
  last_seen: string | null;
}

/**
 * Accounts of operators, each change with its entry in the audit. Whoever is changed is signed out. The last
 * administrator over all bureaus stays. Faults: those of the store, ACCOUNT_EXISTS, ACCOUNT_LAST, NOT_FOUND.
 */
export class Accounts {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #passwords: Passwords;

  constructor(parts: AccountParts) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#passwords = parts.passwords;
  }

  /** By name; those of one bureau, or all where it is null. */
  async list(bureau: string | null): Promise<Result<AccountRow[]>> {
    const rows = await this.#db.read((tx) => tx.all<Kept>('SELECT * FROM accounts ORDER BY name'));
    if (!rows.ok) return rows;
    const seen = rows.value.filter((row) => bureau === null || row.bureau === bureau);
    return { ok: true, value: seen.map(rowOf) };
  }

  async get(name: string): Promise<Result<AccountRow | undefined>> {
    const kept = await this.#db.read((tx) => keptAccount(tx, name));
    if (!kept.ok) return kept;
    return { ok: true, value: kept.value === undefined ? undefined : rowOf(kept.value) };
  }

  async add(
    account: { name: string; role: Role; bureau: string | null; password: string },
    by: string,
  ): Promise<Result<AccountRow>> {
    const { name, role, bureau } = account;
    const password = await this.#passwords.hash(account.password);
    return this.#db.transaction(async (tx) => {
      await tx.lock('accounts');
      if ((await keptAccount(tx, name)) !== undefined)
        throw new CheckpostError('ACCOUNT_EXISTS', `The name ${name} is taken.`);
      await tx.run(
        "INSERT INTO accounts (name, role, bureau, origin, password, disabled) VALUES (?, ?, ?, 'local', ?, 0)",
        name,
        role,
        bureau,
        password,
      );
      await this.#record(tx, by, bureau, `Account ${name} was made: ${words(role, bureau)}.`);
      tx.announce('account', name);
      return { name, role, bureau, disabled: false, origin: 'local' as const, lastSeen: null };
    });
  }

  async change(name: string, change: AccountChange, by: string): Promise<Result<AccountRow>> {
    const password = change.password === undefined ? undefined : await this.#passwords.hash(change.password);
    return this.#db.transaction(async (tx) => {
      await tx.lock('accounts');
      const before = await existing(tx, name);
      if (password !== undefined && before.origin !== 'local')
        throw new CheckpostError(
          'REQUEST_INVALID',
          `${name} signs in with OpenID Connect and has no password.`,
        );
      const after: Kept = {
        ...before,
        ...(change.role !== undefined && { role: change.role }),
        ...(change.bureau !== undefined && { bureau: change.bureau }),
        ...(change.disabled !== undefined && { disabled: change.disabled ? 1 : 0 }),
        ...(password !== undefined && { password }),
      };
      await tx.run(
        'UPDATE accounts SET role = ?, bureau = ?, disabled = ?, password = ? WHERE name = ?',
        after.role,
        after.bureau,
        after.disabled,
        after.password,
        name,
      );
      await requireKeeper(tx, before);
      await tx.run('DELETE FROM sessions WHERE account = ?', name);
      // Whoever knew the old password may have made some.
      if (password !== undefined) await tx.run('DELETE FROM tokens WHERE account = ?', name);
      const what = [
        words(after.role, after.bureau),
        after.disabled === 1 ? 'disabled' : 'in use',
        ...(password === undefined ? [] : ['with a new password, its tokens revoked']),
      ].join(', ');
      // Whoever lost an account to another bureau sees that it went.
      await this.#record(tx, by, before.bureau, `Account ${name} was changed: ${what}.`);
      tx.announce('account', name);
      return rowOf(after);
    });
  }

  async remove(name: string, by: string): Promise<Result<void>> {
    return this.#db.transaction(async (tx) => {
      await tx.lock('accounts');
      const before = await existing(tx, name);
      await tx.run('DELETE FROM accounts WHERE name = ?', name);
      await requireKeeper(tx, before);
      await tx.run('DELETE FROM sessions WHERE account = ?', name);
      await tx.run('DELETE FROM tokens WHERE account = ?', name);
      await this.#record(tx, by, before.bureau, `Account ${name} was removed.`);
      tx.announce('account', name);
    });
  }

  /** Whether this is the password of an account in use; takes as long where there is none. */
  async signIn(name: string, password: string): Promise<Result<Identity | undefined>> {
    const kept = await this.#db.read((tx) => keptAccount(tx, name));
    if (!kept.ok) return kept;
    const fits = await this.#passwords.fits(password, kept.value?.password ?? undefined);
    const good = fits && kept.value?.disabled === 0;
    return { ok: true, value: good && kept.value !== undefined ? identityOf(kept.value) : undefined };
  }

  /** The account of somebody whom the provider has named, made or brought up to date. SIGN_IN_REFUSED where it may not be used. */
  async signInOpenId(person: OpenIdPerson): Promise<Result<Identity>> {
    const { name, role, bureau, subject } = person;
    return this.#db.transaction(async (tx) => {
      await tx.lock('accounts');
      const before = await keptAccount(tx, name);
      // A provider must not hand out the name of a local account, nor of somebody else who had it before.
      if (before !== undefined && before.subject !== subject)
        throw new CheckpostError('SIGN_IN_REFUSED', `The name ${name} belongs to another account.`);
      if (before?.disabled === 1) throw new CheckpostError('SIGN_IN_REFUSED', 'The account is disabled.');
      await tx.run(
        'INSERT INTO accounts (name, role, bureau, origin, subject, disabled) ' +
          "VALUES (?, ?, ?, 'openid', ?, 0) " +
          'ON CONFLICT (name) DO UPDATE SET role = excluded.role, bureau = excluded.bureau',
        name,
        role,
        bureau,
        subject,
      );
      if (before?.role !== role || before.bureau !== bureau) {
        await this.#record(tx, name, bureau, `Account ${name} is by its provider: ${words(role, bureau)}.`);
        tx.announce('account', name);
      }
      return { name, role, bureau };
    });
  }

  #record(tx: WriteTx, by: string, bureau: string | null, text: string): Promise<void> {
    return audit(tx, { at: instant(this.#clock.wall()), by, action: 'account', bureau, text });
  }
}

export function keptAccount(tx: Tx, name: string): Promise<Kept | undefined> {
  return tx.get<Kept>('SELECT * FROM accounts WHERE name = ?', name);
}

export function identityOf({ name, role, bureau }: Kept): Identity {
  return { name, role, bureau };
}

async function existing(tx: Tx, name: string): Promise<Kept> {
  const kept = await keptAccount(tx, name);
  if (kept === undefined) throw new CheckpostError('NOT_FOUND', `There is no account ${name}.`);
  return kept;
}

/** Throws where a change of this account has left nobody who may keep accounts over all bureaus. */
async function requireKeeper(tx: Tx, before: Kept): Promise<void> {
  if (before.role !== 'administrator' || before.bureau !== null || before.disabled === 1) return;
  const keeper = await tx.get(
    "SELECT name FROM accounts WHERE role = 'administrator' AND bureau IS NULL AND disabled = 0 LIMIT 1",
  );
  if (keeper === undefined)
    throw new CheckpostError('ACCOUNT_LAST', `Without ${before.name} there would be none.`);
}

function rowOf(kept: Kept): AccountRow {
  const { name, role, bureau, origin, disabled, last_seen: lastSeen } = kept;
  return { name, role, bureau, disabled: disabled === 1, origin, lastSeen };
}

function words(role: Role, bureau: string | null): string {
  return `${role} ${bureau === null ? 'over all bureaus' : `of ${bureau}`}`;
}
