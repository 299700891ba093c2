import { ok } from '#contracts/result.ts';
import type { HandlerParts, Handlers } from '../handler.ts';
import { listOf, pageOf } from './page-of.ts';

/** Alerts and maintenance. */
export function alertHandlers({ source }: HandlerParts): Handlers<'alerts' | 'maintenance'> {
  const { alerts } = source;
  return {
    async 'GET /api/v1/alerts'({ query, reach }) {
      const { state, ...page } = pageOf(query, reach);
      return listOf(await alerts.list({ ...page, which: state ?? 'all' }));
    },
    'POST /api/v1/alerts/{id}/acknowledge': ({ params, body, caller }) =>
      alerts.acknowledge(params.id, body, caller.identity.name),
    'POST /api/v1/alerts/{id}/silence': ({ params, body, caller }) =>
      alerts.silence(params.id, body, caller.identity.name),
    async 'GET /api/v1/maintenance'() {
      return listOf(await alerts.maintenance(true));
    },
    'POST /api/v1/maintenance': ({ body, caller }) => alerts.plan(body, caller.identity.name),
    async 'DELETE /api/v1/maintenance/{id}'({ params, caller }) {
      const ended = await alerts.end(params.id, caller.identity.name);
      return ended.ok ? ok(null) : ended;
    },
  };
}
