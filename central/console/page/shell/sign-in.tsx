import { useState } from 'preact/hooks';
import type { SessionState } from '#contracts/api/accounts.ts';
import type { Api, ApiFault } from '../data/api.ts';
import { placeOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';

interface SignInProps {
  readonly api: Api;
  readonly session: SessionState;
  readonly done: (session: SessionState) => void;
}

/** Signing in with the provider ends at this page; where it failed, the address has the code. */
function providerFault(): ApiFault | undefined {
  const { view, query } = placeOf(location.hash);
  const code = query.get('fault');
  if (view !== 'sign-in' || code === null) return undefined;
  return {
    code,
    what: 'You are not signed in.',
    detail: `The provider's answer was refused: ${code}.`,
    remedy: 'Try again; if it stays so, docs/errors.md says what the code means.',
  };
}

export function SignIn({ api, session, done }: SignInProps) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState<ApiFault | undefined>(providerFault);
  const [busy, setBusy] = useState(false);
  const signIn = async (): Promise<void> => {
    setBusy(true);
    const answer = await api.ask<SessionState>('POST', '/session', { name, password });
    setBusy(false);
    if (answer.ok) return done(answer.value);
    setFault(answer.fault);
    setPassword('');
  };
  return (
    <main class="sign-in">
      <h1>Checkpost</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <label>
          Account
          <input
            name="name"
            autocomplete="username"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            required
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
            required
          />
        </label>
        <button type="submit" disabled={busy}>
          Sign in
        </button>
        {session.openIdConnect !== null && (
          <a class="button" href="/api/v1/session/openid">
            {session.openIdConnect.title}
          </a>
        )}
        {fault !== undefined && <FaultNote fault={fault} />}
        <p class="small">
          No account yet? On the centre: <code>checkpost account add</code>
        </p>
      </form>
    </main>
  );
}
