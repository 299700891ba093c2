import { describe, expect, test } from 'vitest';
import { routes } from './api/routes.ts';
import { openApi } from './openapi.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody?: unknown;
  readonly security?: readonly unknown[];
}

const description = openApi() as unknown as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
};
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the description of the API', () => {
  test('it has every route of the table, once', () => {
    const named = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(named.sort()).toEqual(Object.keys(routes).sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(named.length);
  });

  test('every place in an address is a parameter that is required', () => {
    for (const { path, operation } of operations) {
      const places = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
      const said = operation.parameters.filter((one) => one.in === 'path');
      expect(said.map(({ name }) => name)).toEqual(places);
      expect(said.every(({ required }) => required)).toBe(true);
    }
  });

  test('what needs nobody to be signed in says so, and everything else says what happens without', () => {
    for (const { path, method, operation } of operations) {
      const route = Object.entries(routes).find(([name]) => name === `${method.toUpperCase()} ${path}`)?.[1];
      if (route?.role === 'anybody') expect(operation.security).toEqual([]);
      else expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']));
    }
  });

  test('every reference leads to a schema', () => {
    const text = JSON.stringify(description);
    for (const found of text.matchAll(/"\$ref":"([^"]+)"/g))
      expect(description.components.schemas).toHaveProperty((found[1] ?? '').split('/').at(-1) ?? '');
  });
});
