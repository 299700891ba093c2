import Type, { type TSchema } from 'typebox';
import * as accounts from './api/accounts.ts';
import * as alerts from './api/alerts.ts';
import * as fleet from './api/fleet.ts';
import * as orders from './api/orders.ts';
import type { ApiRoute } from './api/route.ts';
import * as table from './api/routes.ts';
import { TerminalCommand } from './command.ts';
import { Desired, LayerScope, LayerValues, LimitValues, Reported, SignedEnvelope } from './configuration.ts';
import { Condition, HealthReport } from './health.ts';
import { HitItem } from './outbox.ts';

const { liveEvents, routes } = table;

/** The description of the REST API: OpenAPI 3.1, made from the table of routes. */

const Fault = Type.Object({
  code: Type.String({ description: 'Of docs/errors.md' }),
  what: Type.String(),
  detail: Type.String(),
  meaning: Type.String(),
  remedy: Type.String(),
});

/** Schemas that are written once, under their names, and referred to from everywhere else. */
const named = new Map<unknown, string>(
  Object.entries({
    ...accounts,
    ...alerts,
    ...fleet,
    ...orders,
    Condition,
    Desired,
    Fault,
    FleetView: table.FleetView,
    HealthReport,
    HitItem,
    LayerScope,
    LayerValues,
    LimitValues,
    Reported,
    SignedEnvelope,
    TerminalCommand,
  })
    .filter(([name, value]) => /^[A-Z]/.test(name) && isComposed(value))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => [value, name]),
);

function isComposed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('properties' in value || 'anyOf' in value);
}

const faultAnswer = (description: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } },
});

/** OpenAPI 3.1, a JSON object. */
export function openApi(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(routes)) {
    const [method = '', path = ''] = name.split(' ');
    (paths[path] ??= {})[method.toLowerCase()] = operationOf(name, route);
  }
  return plain({
    openapi: '3.1.0',
    info: {
      title: 'Checkpost: the centre',
      version: '1',
      description:
        'The fleet as the centre knows it, and what may be ordered. An identity that is bound to a bureau sees and changes what is of that bureau alone.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(Object.values(routes).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: {
        ...Object.fromEntries([...named].map(([schema, name]) => [name, { ...(schema as object) }])),
        LiveEvent: Type.Object(liveEvents, {
          description: 'Live events: the name of the event, and its data. Each is a whole row.',
        }),
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of `POST /api/v1/tokens`' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'checkpost-session',
          description: 'Changes also need the header `x-checkpost-csrf` of `GET /api/v1/session`',
        },
      },
    },
  });
}

function operationOf(name: string, route: ApiRoute): Record<string, unknown> {
  const { status, answer, role } = route;
  return {
    operationId: idOf(name),
    tags: [route.tag],
    summary: route.summary,
    description: role === 'anybody' ? 'Nobody need be signed in.' : `Role: ${role}.`,
    ...(role === 'anybody' && { security: [] }),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(route.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: route.body } } },
    }),
    responses: {
      [status]: {
        description: status === 302 ? 'To the provider, or back to the page.' : 'It is done.',
        ...(status !== 204 && status !== 302 && { content: contentOf(answer) }),
      },
      ...(role !== 'anybody' && {
        401: faultAnswer('Nobody is signed in.'),
        403: faultAnswer('The role or the bureau does not allow it.'),
      }),
      default: faultAnswer('It was not done.'),
    },
  };
}

function contentOf(answer: TSchema | string): Record<string, unknown> {
  if (typeof answer !== 'string') return { 'application/json': { schema: answer } };
  const schema = answer === 'text/event-stream' ? { $ref: '#/components/schemas/LiveEvent' } : {};
  return { [answer]: { schema } };
}

function parametersOf(schema: TSchema | undefined, where: 'path' | 'query'): Record<string, unknown>[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Readonly<Record<string, TSchema>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: of,
  }));
}

/** `GET /api/v1/terminals/{id}` becomes `getTerminalsId`. */
function idOf(name: string): string {
  const words =
    name
      .replace('/api/v1/', '')
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  return words.map((word, n) => (n === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`)).join('');
}

/** JSON alone, with references in the place of schemas that have a name: the library's own marks are left out. */
function plain(value: Record<string, unknown>): Record<string, unknown> {
  const refer = (_key: string, inner: unknown): unknown => {
    const name = named.get(inner);
    return name === undefined ? inner : { $ref: `#/components/schemas/${name}` };
  };
  return JSON.parse(JSON.stringify(value, refer)) as Record<string, unknown>;
}
