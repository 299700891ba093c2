import { describe, expect, test } from 'vitest';
import { LayerValues } from '#contracts/configuration.ts';
import { allowedWords, fieldsOf, type SettingField, valueAt, withValue } from './schema.ts';

// As the page receives it: JSON Schema without anything that JSON cannot hold.
const fields = fieldsOf(JSON.parse(JSON.stringify(LayerValues)) as Parameters<typeof fieldsOf>[0]);
const field = (path: string): SettingField => {
  const found = fields.find((one) => one.path === path);
  if (found === undefined) throw new Error(`the schema has no ${path}`);
  return found;
};

describe('the editor of the configuration', () => {
  test('has a field for every setting that a layer may set, with words for each', () => {
    expect(fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['readers', 'central.url', 'fleet.keepAliveSeconds', 'log.level']),
    );
    expect(fields.filter(({ schema }) => (schema.description ?? '') === '')).toEqual([]);
  });

  test('knows every kind of value: a number, a text, a choice, a list', () => {
    for (const { path, schema } of fields)
      expect(
        schema.enum !== undefined || ['integer', 'array', 'string'].includes(schema.type ?? ''),
        path,
      ).toBe(true);
  });

  test('says what is allowed', () => {
    expect(allowedWords(field('fleet.keepAliveSeconds'))).toMatch(/^\d+ to \d+ s$/);
    expect(allowedWords(field('log.level'))).toContain('debug');
    expect(allowedWords(field('readers'))).toBe('a list, as JSON');
  });

  test('sets a value beside the others, and leaves nothing behind when it is taken out again', () => {
    const before = { log: { level: 'info' } };
    const set = withValue(before, field('fleet.keepAliveSeconds'), 45);
    expect(set).toEqual({ log: { level: 'info' }, fleet: { keepAliveSeconds: 45 } });
    expect(valueAt(set, 'fleet.keepAliveSeconds')).toBe(45);
    expect(withValue(set, field('fleet.keepAliveSeconds'), undefined)).toEqual(before);
    expect(withValue(before, field('log.level'), undefined)).toEqual({});
    expect(before).toEqual({ log: { level: 'info' } });
  });

  test('sets a list as one value', () => {
    const set = withValue({}, field('readers'), []);
    expect(set).toEqual({ readers: [] });
    expect(withValue(set, field('readers'), undefined)).toEqual({});
    expect(valueAt({}, 'central.url')).toBeUndefined();
  });
});
