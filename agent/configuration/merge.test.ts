import { describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { covers, type Layer, merge, pathsIn } from './merge.ts';
import { settingsOf, written } from './test-bench.ts';

const identity = { terminal: 'UTO-0001-1', bureau: 'UTO', site: 'UTO-0001' };
const enrolled = { settings: settingsOf(), given: pathsIn(written) };
const fleet = { layer: 'fleet' } as const;
const bureau = { layer: 'bureau', key: 'UTO' } as const;
const site = { layer: 'site', key: 'UTO-0001' } as const;
const terminal = { layer: 'terminal', key: 'UTO-0001-1' } as const;
const level = (scope: Layer['scope'], of: 'error' | 'warn' | 'info' | 'debug'): Layer => ({
  scope,
  values: { log: { level: of } },
});
const fine = () => ok(undefined);
const limit = (scope: Layer['scope'], editionMaxAgeSeconds: number) => ({
  version: 1,
  scope,
  values: { policy: { editionMaxAgeSeconds } },
});

describe('Layers over what enrolment wrote', () => {
  test.each<[string, Layer[], string, string]>([
    ['no layer: the default stays', [], 'info', 'default'],
    ['the fleet alone', [level(fleet, 'debug')], 'debug', 'fleet'],
    ['the bureau wins over the fleet', [level(fleet, 'debug'), level(bureau, 'warn')], 'warn', 'bureau'],
    ['the site wins over the bureau', [level(bureau, 'warn'), level(site, 'error')], 'error', 'site'],
    ['the terminal wins over the site', [level(site, 'error'), level(terminal, 'warn')], 'warn', 'terminal'],
    [
      'the order in the message does not count',
      [level(terminal, 'warn'), level(site, 'error'), level(fleet, 'debug')],
      'warn',
      'terminal',
    ],
  ])('%s', (_, layers, value, source) => {
    const merged = merge(enrolled, layers, [], fine);
    expect(merged.ok && merged.value.settings.log.level).toBe(value);
    expect(merged.ok && (merged.value.sources.get('log.level') ?? 'default')).toBe(source);
  });

  test('They win value by value, and a list is one value that is taken whole, with the defaults of what stands in it', () => {
    const merged = merge(
      enrolled,
      [
        { scope: fleet, values: { fleet: { sampleMillis: 1000, fullSeconds: 60 } } },
        {
          scope: site,
          values: {
            fleet: { fullSeconds: 90 },
            readers: [
              {
                id: 'desk',
                device: '/dev/x',
                profile: 'swipe',
                feedback: 'off',
                replacement: 'accept',
              },
            ],
          },
        },
      ],
      [],
      fine,
    );
    if (!merged.ok) throw new Error(merged.fault.detail);
    expect(merged.value.settings.fleet).toMatchObject({
      url: 'mqtts://old.test',
      sampleMillis: 1000,
      fullSeconds: 90,
    });
    expect(merged.value.settings.readers.map(({ id }) => id)).toEqual(['desk']);
    expect(Object.fromEntries(merged.value.sources)).toMatchObject({
      terminal: 'enrolled',
      'fleet.url': 'enrolled',
      'fleet.sampleMillis': 'fleet',
      'fleet.fullSeconds': 'site',
      readers: 'site',
    });
    expect(merged.value.sources.has('log.level')).toBe(false);
    // What enrolment wrote is not touched.
    expect(enrolled.settings.readers[0]?.id).toBe('counter-1');
  });

  test('Limits win over every layer and over what enrolment wrote, the narrowest over all', () => {
    const merged = merge(enrolled, [], [limit(site, 3600), limit(fleet, 7200)], fine);
    expect(merged.ok && merged.value.settings.policy.editionMaxAgeSeconds).toBe(3600);
    expect(merged.ok && merged.value.sources.get('policy.editionMaxAgeSeconds')).toBe('limits');
  });

  test('What the agent finds wrong in the whole is refused', () => {
    const merged = merge(enrolled, [], [], () => fail('SETTINGS_INVALID', 'readers.0.profile: found none'));
    expect(merged).toMatchObject({
      ok: false,
      fault: { code: 'CONFIGURATION_INVALID', detail: 'readers.0.profile: found none' },
    });
  });

  test.each<[Layer['scope'], boolean]>([
    [fleet, true],
    [bureau, true],
    [site, true],
    [terminal, true],
    [{ layer: 'bureau', key: 'ABC' }, false],
    [{ layer: 'site', key: 'UTO-0002' }, false],
    [{ layer: 'terminal', key: 'UTO-0001-2' }, false],
  ])('%j covers this terminal: %s', (scope, expected) => {
    expect(covers(scope, identity)).toBe(expected);
  });
});
