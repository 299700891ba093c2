import { describe, expect, test } from 'vitest';
import { causes, type ConditionNote, conditionNote, conditions, gravestFirst } from './conditions.ts';

const notes: readonly (readonly [string, ConditionNote])[] = Object.entries(conditions);

describe('The table of conditions', () => {
  test.each(notes)('%s says what it means and what to do, in whole sentences', (_, note) => {
    expect(note.title).toMatch(/\S[^.]$/);
    expect(note.text).toMatch(/^[A-Z].*[.]$/);
    expect(note.remedy).toMatch(/^[A-Z].*[.]$/);
  });
  test.each(notes)('What explains %s is a condition, and shows no later than it', (code, note) => {
    for (const cause of note.dependsOn) {
      expect(cause).not.toBe(code);
      expect(conditionNote(cause), cause).toBeDefined();
      expect(conditionNote(cause)?.delaySeconds, cause).toBeLessThanOrEqual(note.delaySeconds);
    }
  });
  test('Nothing explains itself over a detour', () => {
    const walk = (code: string, path: readonly string[]): void => {
      expect(path, [...path, code].join(' by ')).not.toContain(code);
      for (const cause of conditionNote(code)?.dependsOn ?? []) walk(cause, [...path, code]);
    };
    for (const [code] of notes) walk(code, []);
  });
});

const codes = (found: readonly string[]): string[] =>
  causes(
    found.map((text) => {
      const [code = '', subject] = text.split(' ');
      return subject === undefined ? { code } : { code, subject };
    }),
  ).map(({ code, subject }) => (subject === undefined ? code : `${code} ${subject}`));

describe('The causes', () => {
  test.each<[string, string[], string[]]>([
    ['Nothing of nothing', [], []],
    [
      'A site whose only uplink lost its cable shows that alone',
      [
        'edition-old',
        'edition-aging',
        'tunnel-down',
        'line-no-carrier dsl',
        'hub-silent hub-one',
        'hub-silent hub-two',
        'uplink-key-failed hub-one',
        'tunnel-key-old hub-one',
        'central-unreachable',
        'clock-unverified',
        'outbox-deep',
        'outbox-old',
        'configuration-probation',
      ],
      ['line-no-carrier dsl'],
    ],
    [
      'Hubs that are down everywhere are one cause',
      [
        'tunnel-down',
        'hubs-down',
        'line-hubs-silent dsl',
        'line-hubs-silent lte',
        'hub-silent hub-one',
        'hub-silent hub-two',
        'central-unreachable',
        'outbox-old',
      ],
      ['hubs-down'],
    ],
    [
      'A dead standby does not explain a centre that is out of reach through the tunnel',
      ['line-no-data lte', 'central-unreachable', 'clock-unverified'],
      ['line-no-data lte', 'central-unreachable'],
    ],
    [
      'Small packets are explained by what is wrong with the same uplink only',
      ['line-large-lost dsl', 'mtu-low dsl', 'mtu-low lte'],
      ['line-large-lost dsl', 'mtu-low lte'],
    ],
    [
      'Troubles of reader, disk and record stay beside a lost uplink',
      ['reader-absent counter-1', 'not-recording', 'disk-low', 'line-no-device lte', 'tunnel-down'],
      ['reader-absent counter-1', 'not-recording', 'disk-low', 'line-no-device lte'],
    ],
    ['A watchdog explains the reboot', ['watchdog-reset', 'unexpected-reboot'], ['watchdog-reset']],
    [
      'A code of a later release stays',
      ['from-the-future', 'tunnel-down'],
      ['from-the-future', 'tunnel-down'],
    ],
  ])('%s', (_, found, expected) => {
    expect(codes(found)).toEqual(expected);
  });
  test('No lamp goes out without another in its place: of any two, one remains', () => {
    for (const [a] of notes) for (const [b] of notes) expect(codes([a, b]).length).toBeGreaterThan(0);
    expect(codes(notes.map(([code]) => code))).not.toEqual([]);
  });
  test('The gravest come first, and what is not known is grave', () => {
    const found = ['mtu-low', 'disk-low', 'on-battery', 'from-the-future'].map((code) => ({ code }));
    expect(gravestFirst(found).map(({ code }) => code)).toEqual([
      'disk-low',
      'from-the-future',
      'mtu-low',
      'on-battery',
    ]);
  });
});
