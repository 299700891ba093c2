import type { IncomingMessage } from 'node:http';
import Type, { type TSchema } from 'typebox';
import type { RouteName } from '#contracts/api/calls.ts';
import type { ApiRoute } from '#contracts/api/route.ts';
import { routes } from '#contracts/api/routes.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readText } from '#runtime/page.ts';
import { parseJsonFilled, parseValue } from '#runtime/parse.ts';

/** Longest body, in bytes; a wave names up to 20,000 terminals. */
const longest = 262_144;
const longestWave = 2_097_152;

/** A route of the table, ready to be found by an address. */
interface Known {
  readonly name: RouteName;
  readonly method: string;
  readonly path: RegExp;
  readonly places: readonly string[];
}

const known: readonly Known[] = names().map((name) => {
  const [method = '', path = ''] = name.split(' ');
  const places = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '');
  return {
    name,
    method,
    places,
    path: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
  };
});

/** Names of all routes. */
export function names(): RouteName[] {
  return Object.keys(routes) as RouteName[];
}

export interface Matched {
  readonly name: RouteName;
  readonly route: ApiRoute;
  readonly values: Readonly<Record<string, string>>;
}

/** The route of an address; where only the method is another, the methods that there are. */
export function match(method: string, path: string): Matched | readonly string[] {
  const wanted = method === 'HEAD' ? 'GET' : method;
  // An address of letters alone comes before one with a place in it: `layers/schema`.
  const here = known.filter((one) => one.path.test(path)).sort((a, b) => a.places.length - b.places.length);
  const found = here.find((one) => one.method === wanted);
  if (found === undefined) return here.map((one) => one.method);
  const given = found.path.exec(path)?.slice(1) ?? [];
  const values = Object.fromEntries(found.places.map((place, n) => [place, decode(given[n] ?? '')]));
  return { name: found.name, route: routes[found.name], values };
}

/** Parses what came with a request by the schemas of its route. Fault: REQUEST_INVALID. */
export async function parseRequest(
  request: IncomingMessage,
  { name, route, values }: Matched,
): Promise<Result<{ params: unknown; query: unknown; body: unknown }>> {
  const params = byText(route.params, values);
  if (!params.ok) return params;
  const search = new URL(request.url ?? '/', 'http://x').searchParams;
  const query = byText(
    route.query ?? Type.Object({}, { additionalProperties: false }),
    Object.fromEntries(search),
  );
  if (!query.ok) return query;
  if (route.body === undefined) return ok({ params: params.value, query: query.value, body: undefined });
  const text = await readText(request, name === 'POST /api/v1/waves' ? longestWave : longest);
  const body = text.ok ? parseJsonFilled(route.body, text.value, 'REQUEST_INVALID') : text;
  return body.ok ? ok({ params: params.value, query: query.value, body: body.value }) : body;
}

/** Texts of an address by their schema: what is a number there is read as one. */
function byText(schema: TSchema | undefined, texts: Readonly<Record<string, string>>): Result<unknown> {
  if (schema === undefined) return ok(undefined);
  const { properties = {} } = schema as { properties?: Readonly<Record<string, { type?: string }>> };
  const entries = Object.entries(texts).map(([name, text]) => {
    const number = Object.hasOwn(properties, name) && properties[name]?.type === 'integer';
    return [name, number && /^\d{1,16}$/.test(text) ? Number(text) : text] as const;
  });
  const parsed = parseValue(schema, Object.fromEntries(entries), 'REQUEST_INVALID');
  return parsed.ok ? parsed : fail('REQUEST_INVALID', `In the address: ${parsed.fault.detail}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It fits no schema, and is refused as that.
    return '';
  }
}
