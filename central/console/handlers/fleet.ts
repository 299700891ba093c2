import { ok } from '#contracts/result.ts';
import type { HandlerParts, Handlers } from '../handler.ts';
import { listOf, pageOf } from './page-of.ts';

const usualPoints = 300;

/** The fleet, its history, the centre. */
export function fleetHandlers({
  source,
  live,
}: HandlerParts): Handlers<'fleet' | 'live' | 'events' | 'hits' | 'centre' | 'bundles'> &
  Pick<Handlers<'terminals'>, 'GET /api/v1/terminals/{id}' | 'GET /api/v1/terminals/{id}/series'> {
  const { fleet, alerts, bundles } = source;
  return {
    async 'GET /api/v1/fleet'() {
      const [standing, maintenance] = await Promise.all([alerts.standing(), alerts.maintenance(false)]);
      if (!standing.ok) return standing;
      if (!maintenance.ok) return maintenance;
      return ok({
        sites: [...fleet.sites()],
        terminals: [...fleet.terminals()],
        alerts: [...standing.value],
        maintenance: [...maintenance.value],
        centre: fleet.centre(),
      });
    },
    'GET /api/v1/live'({ caller, reach }, { response, credentials }) {
      live.connect(response, caller, credentials, reach);
      return ok('answered');
    },
    'GET /api/v1/terminals/{id}': ({ params }) => fleet.detail(params.id),
    'GET /api/v1/terminals/{id}/series': ({ params, query }) =>
      fleet.series(params.id, { ...query, points: query.points ?? usualPoints }),
    async 'GET /api/v1/events'({ query, reach }) {
      return listOf(await fleet.events(pageOf(query, reach)));
    },
    async 'GET /api/v1/hits'({ query, reach }) {
      return listOf(await fleet.hits(pageOf(query, reach)));
    },
    'GET /api/v1/centre': () => ok(fleet.centre()),
    async 'GET /api/v1/bundles'({ query }) {
      return ok([...(await bundles.list(query.terminal))]);
    },
    async 'GET /api/v1/bundles/{id}'({ params }, { response }) {
      const bundle = await bundles.read(params.id);
      if (!bundle.ok) return bundle;
      const { row, bytes } = bundle.value;
      // gzip'd JSON, kept as it is: a file for whoever looks into it, never shown by the browser.
      response.setHeader('content-type', 'application/octet-stream');
      response.setHeader('content-disposition', `attachment; filename="${row.terminal}-${row.id}.json.gz"`);
      response.setHeader('content-length', bytes.length);
      response.end(bytes);
      return ok('answered');
    },
  };
}
