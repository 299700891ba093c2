import { useState } from 'preact/hooks';
import { type AccountRow, type MadeToken, type Role, roles, type TokenRow } from '#contracts/api/accounts.ts';
import type { Static } from 'typebox';
import type { ApiFault } from '../data/api.ts';
import { mayAdminister, useAsked, useNow, useParts } from '../data/context.ts';
import { FaultNote } from '../parts/fault.tsx';
import { agoWords, whenWords } from '../words.ts';

/** Own tokens, and for administrators the accounts within reach. */
export function AccountsView() {
  const { identity } = useParts();
  return (
    <article class="detail">
      {mayAdminister(identity) && <Accounts />}
      <Tokens />
    </article>
  );
}

function Accounts() {
  const { api, identity } = useParts();
  const now = useNow(30_000);
  const { answer, again } = useAsked<AccountRow[]>('/accounts');
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  /** Whose password is being typed. */
  const [typing, setTyping] = useState<string | undefined>(undefined);
  const ask = async (method: 'PATCH' | 'DELETE', name: string, body?: object): Promise<boolean> => {
    const done = await api.ask(method, `/accounts/${encodeURIComponent(name)}`, body);
    setFault(done.ok ? undefined : done.fault);
    again();
    return done.ok;
  };
  const change = (name: string, body: object): Promise<boolean> => ask('PATCH', name, body);
  const remove = (name: string): void => {
    if (confirm(`Remove ${name}?\n\nIts tokens end as well. What it did stays in the audit.`))
      void ask('DELETE', name);
  };
  if (answer?.ok === false) return <FaultNote fault={answer.fault} />;
  const rows = answer?.value ?? [];
  return (
    <section aria-label="Accounts">
      <h3>Accounts</h3>
      {answer !== undefined && rows.length === 0 && <p class="small">There are no accounts yet.</p>}
      {rows.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Role</th>
              <th scope="col">Bureau</th>
              <th scope="col">Last seen</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  {row.name} {row.disabled && <span class="mark">disabled</span>}
                  {row.origin === 'openid' && <span class="mark">OpenID Connect</span>}
                </th>
                <td>
                  <label>
                    <span class="hidden">Role of {row.name}</span>
                    <select
                      value={row.role}
                      disabled={row.name === identity.name || row.origin === 'openid'}
                      onChange={(event) => void change(row.name, { role: event.currentTarget.value })}
                    >
                      {roles.map((role) => (
                        <option key={role}>{role}</option>
                      ))}
                    </select>
                  </label>
                </td>
                <td>{row.bureau ?? 'all'}</td>
                <td>{agoWords(row.lastSeen, now)}</td>
                <td class="buttons">
                  {row.origin === 'local' && (
                    <button type="button" onClick={() => setTyping(row.name)}>
                      New password
                    </button>
                  )}
                  {row.name !== identity.name && (
                    <>
                      <button
                        type="button"
                        onClick={() => void change(row.name, { disabled: !row.disabled })}
                      >
                        {row.disabled ? 'Enable' : 'Disable'}
                      </button>
                      <button type="button" onClick={() => remove(row.name)}>
                        Remove
                      </button>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
      {typing !== undefined && (
        <NewPasswordForm
          key={typing}
          name={typing}
          set={async (password) => {
            if (await change(typing, { password })) setTyping(undefined);
          }}
          cancel={() => setTyping(undefined)}
        />
      )}
      <NewAccountForm done={again} />
    </section>
  );
}

interface NewPasswordProps {
  readonly name: string;
  readonly set: (password: string) => Promise<void>;
  readonly cancel: () => void;
}

function NewPasswordForm({ name, set, cancel }: NewPasswordProps) {
  const [password, setPassword] = useState('');
  return (
    <form
      class="buttons panel no-print"
      aria-label={`New password of ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        void set(password);
      }}
    >
      <label>
        New password of {name}{' '}
        <input
          type="password"
          autocomplete="new-password"
          minLength={12}
          required
          autofocus
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Set it</button>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
      <p class="small">Whoever uses the account is signed out, and its tokens end.</p>
    </form>
  );
}

function NewAccountForm({ done }: { readonly done: () => void }) {
  const { api, identity } = useParts();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [bureau, setBureau] = useState(identity.bureau ?? '');
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const make = async (): Promise<void> => {
    const answer = await api.ask('POST', '/accounts', {
      name,
      role,
      bureau: bureau === '' ? null : bureau,
      password,
    });
    setFault(answer.ok ? undefined : answer.fault);
    if (!answer.ok) return;
    setName('');
    setPassword('');
    done();
  };
  return (
    <form
      class="buttons no-print"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <label>
        Account <input value={name} required onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        Role{' '}
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {roles.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label>
        Bureau{' '}
        <input
          value={bureau}
          placeholder="all"
          disabled={identity.bureau !== null}
          onInput={(event) => setBureau(event.currentTarget.value.toUpperCase())}
        />
      </label>
      <label>
        Password{' '}
        <input
          type="password"
          autocomplete="new-password"
          minLength={12}
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Add</button>
      {fault !== undefined && <FaultNote fault={fault} />}
    </form>
  );
}

function Tokens() {
  const { api, identity } = useParts();
  const now = useNow(30_000);
  const { answer, again } = useAsked<TokenRow[]>('/tokens');
  const [title, setTitle] = useState('');
  const [made, setMade] = useState<Static<typeof MadeToken> | undefined>(undefined);
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const make = async (): Promise<void> => {
    const done = await api.ask<Static<typeof MadeToken>>('POST', '/tokens', {
      title,
      role: identity.role,
      days: 90,
    });
    setFault(done.ok ? undefined : done.fault);
    if (!done.ok) return;
    setMade(done.value);
    setTitle('');
    again();
  };
  const revoke = async (id: number): Promise<void> => {
    const done = await api.ask('DELETE', `/tokens/${id}`);
    setFault(done.ok ? undefined : done.fault);
    again();
  };
  return (
    <section aria-label="Tokens">
      <h3>Tokens for programs</h3>
      <p class="small">
        Sent as <code>Authorization: Bearer</code>; see docs/api.md. A token holds for 90 days.
      </p>
      <ul class="asked">
        {(answer?.ok === true ? answer.value : []).map((row) => (
          <li key={row.id}>
            <b>{row.title}</b> {row.role} of {row.account}{' '}
            <span class="small">
              until {whenWords(row.expiresAt, now)}, last seen {agoWords(row.lastSeen, now)}
            </span>{' '}
            <button type="button" onClick={() => void revoke(row.id)}>
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <form
        class="buttons no-print"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <label>
          What for <input value={title} required onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <button type="submit">Make a token</button>
      </form>
      {made !== undefined && (
        <p class="panel">
          Shown this once: <code>{made.token}</code>
        </p>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
    </section>
  );
}
