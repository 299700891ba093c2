import { expect, test } from 'vitest';
import { scopeName, scopeOf } from './scope.ts';
import { canonical, flatten, merged } from './values.ts';

test('equal content is equal text: names are in order, empty groups are left out, lists stay as they are', () => {
  const one = canonical({ log: { level: 'warn' }, fleet: {}, readers: [{ b: 1, a: 2 }, 3] });
  expect(JSON.stringify(one)).toBe('{"log":{"level":"warn"},"readers":[{"a":2,"b":1},3]}');
});

test('a value laid over another wins alone; a list is one value', () => {
  const under = { fleet: { keepAliveSeconds: 30, retryMillis: 5 }, readers: [1, 2] };
  const over = { fleet: { keepAliveSeconds: 60 }, readers: [3] };
  expect(merged(under, over)).toEqual({ fleet: { keepAliveSeconds: 60, retryMillis: 5 }, readers: [3] });
});

test('values have dotted paths', () => {
  expect([...flatten({ fleet: { keepAliveSeconds: 30 }, readers: [1] })]).toEqual([
    ['fleet.keepAliveSeconds', 30],
    ['readers', [1]],
  ]);
});

test.each([
  { layer: 'fleet' },
  { layer: 'bureau', key: 'UTO' },
  { layer: 'site', key: 'UTO-0001' },
  { layer: 'terminal', key: 'UTO-0001-1' },
] as const)('the name of a layer says which it is: $layer', (scope) => {
  expect(scopeOf(scopeName(scope))).toEqual(scope);
});
