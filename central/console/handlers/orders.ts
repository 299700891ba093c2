import { LayerValues } from '#contracts/configuration.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { HandlerParts, Handlers } from '../handler.ts';
import { listOf, pageOf } from './page-of.ts';

/** Configuration, commands, waves. */
export function orderHandlers({
  source,
}: HandlerParts): Handlers<'layers' | 'limits' | 'uplinks' | 'commands' | 'waves'> &
  Pick<
    Handlers<'terminals'>,
    'GET /api/v1/terminals/{id}/configuration' | 'POST /api/v1/terminals/{id}/commands'
  > {
  const { orders } = source;
  return {
    async 'GET /api/v1/layers'() {
      return listOf(await orders.layers());
    },
    'GET /api/v1/layers/schema': () => ok(LayerValues),
    'POST /api/v1/layers/preview': ({ body }) => orders.preview(body),
    'PUT /api/v1/layers': ({ body, caller }) => orders.putLayer(body, caller.identity.name),
    async 'PUT /api/v1/limits'({ body, caller }) {
      return done(await orders.putLimits(body.envelope, caller.identity.name));
    },
    async 'PUT /api/v1/uplinks'({ body, caller }) {
      return done(await orders.putUplink(body.envelope, caller.identity.name));
    },
    'GET /api/v1/terminals/{id}/configuration': ({ params }) => orders.configuration(params.id),
    'POST /api/v1/terminals/{id}/commands': ({ params, body, caller }) =>
      orders.command(params.id, body, caller.identity.name),
    async 'GET /api/v1/commands'({ query, reach }) {
      return listOf(await orders.commands(pageOf(query, reach)));
    },
    async 'GET /api/v1/waves'({ reach }) {
      return listOf(await orders.waves(reach.bureau === null ? {} : { bureau: reach.bureau }));
    },
    'POST /api/v1/waves': ({ body, caller }) => orders.startWave(body, caller.identity.name),
    async 'GET /api/v1/waves/{id}'({ params }) {
      const found = await orders.wave(params.id);
      return found.ok ? ok(found.value.wave) : found;
    },
    'POST /api/v1/waves/{id}/stop': ({ params, caller }) => orders.stopWave(params.id, caller.identity.name),
  };
}

function done(result: Result<unknown>): Result<null> {
  return result.ok ? ok(null) : result;
}
