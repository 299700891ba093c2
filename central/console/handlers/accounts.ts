import { ok } from '#contracts/result.ts';
import type { HandlerParts, Handlers } from '../handler.ts';

const usual = 100;

/** Accounts, tokens and the audit of operators. */
export function accountHandlers({ access }: HandlerParts): Handlers<'accounts' | 'tokens' | 'audit'> {
  const { accounts, tokens } = access;
  return {
    'GET /api/v1/tokens': ({ caller }) => tokens.list(caller.identity),
    'POST /api/v1/tokens': ({ body, caller }) => access.makeToken(body, caller),
    async 'DELETE /api/v1/tokens/{id}'({ params, caller }) {
      const revoked = await tokens.revoke(params.id, caller.identity);
      return revoked.ok ? ok(null) : revoked;
    },
    'GET /api/v1/accounts': ({ reach }) => accounts.list(reach.bureau),
    'POST /api/v1/accounts': ({ body, caller }) => accounts.add(body, caller.identity.name),
    'PATCH /api/v1/accounts/{name}': ({ params, body, caller }) =>
      accounts.change(params.name, body, caller.identity.name),
    async 'DELETE /api/v1/accounts/{name}'({ params, caller }) {
      const removed = await accounts.remove(params.name, caller.identity.name);
      return removed.ok ? ok(null) : removed;
    },
    'GET /api/v1/audit': ({ query, caller }) =>
      access.audit(caller.identity, {
        limit: query.limit ?? usual,
        ...(query.before !== undefined && { before: query.before }),
      }),
  };
}
