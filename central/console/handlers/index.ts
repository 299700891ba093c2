import type { RouteName } from '#contracts/api/calls.ts';
import { ok } from '#contracts/result.ts';
import { openApi } from '#contracts/openapi.ts';
import type { Handler, HandlerParts } from '../handler.ts';
import { accountHandlers } from './accounts.ts';
import { alertHandlers } from './alerts.ts';
import { fleetHandlers } from './fleet.ts';
import { orderHandlers } from './orders.ts';
import { sessionHandlers } from './session.ts';

/** What answers each route of the table. */
export function handlersOf(parts: HandlerParts): { readonly [K in RouteName]: Handler<K> } {
  const description = openApi();
  return {
    ...sessionHandlers(parts),
    ...accountHandlers(parts),
    ...fleetHandlers(parts),
    ...alertHandlers(parts),
    ...orderHandlers(parts),
    'GET /api/v1/openapi.json': () => ok(description),
  };
}
