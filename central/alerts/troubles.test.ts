import { describe, expect, test } from 'vitest';
import type { Condition } from '#contracts/health.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { Default } from 'typebox/value';
import type { TerminalTroubles } from './places.ts';
import { findTroubles } from './troubles.ts';

const since = '2026-01-15T08:00:00.000Z';
const settings = Default(CentralSettings.properties.alerts, {}) as CentralSettings['alerts'];

function found(given: Partial<TerminalTroubles>, seconds = 0): Record<string, string | undefined> {
  const troubles = findTroubles({
    fleet: [
      {
        terminal: 'T',
        site: 'UTO-0001',
        bureau: 'UTO',
        state: 'online',
        since,
        metered: false,
        conditions: [],
        ...given,
      },
    ],
    centre: [],
    standing: new Map(),
    inMaintenance: () => false,
    now: Date.parse(since) + seconds * 1000,
    settings,
  });
  return Object.fromEntries([...troubles].map(([name, { cause }]) => [name, cause]));
}
const named = (...codes: string[]): Condition[] =>
  codes.map((one) => {
    const [code = '', subject] = one.split(' ');
    return { code, since, ...(subject !== undefined && { subject }) };
  });

describe('Troubles of one terminal', () => {
  test('A condition that another one explains names it as its cause', () => {
    expect(found({ conditions: named('edition-aging', 'edition-old') })).toEqual({
      'edition-aging|T|': 'edition-old|T|',
      'edition-old|T|': undefined,
    });
  });

  test('What concerns another uplink explains nothing', () => {
    expect(found({ conditions: named('mtu-low lte', 'mtu-low dsl', 'line-large-lost dsl') })).toEqual({
      'mtu-low|T|lte': undefined,
      'mtu-low|T|dsl': 'line-large-lost|T|dsl',
      'line-large-lost|T|dsl': undefined,
    });
  });

  test('Two reports of one thing are one trouble, and one of a newer release is told of by its code', () => {
    expect(found({ conditions: named('disk-low', 'disk-low', 'flux-low') })).toEqual({
      'disk-low|T|': undefined,
      'flux-low|T|': undefined,
    });
  });

  test('That it is offline comes from its state alone, after the tolerance, and explains the rest', () => {
    const conditions = named('terminal-offline', 'disk-low');
    expect(found({ conditions })).toEqual({ 'disk-low|T|': undefined });
    expect(found({ conditions, state: 'offline' }, 299)).toEqual({ 'disk-low|T|': undefined });
    expect(found({ conditions, state: 'offline' }, 300)).toEqual({
      'terminal-offline|T|': undefined,
      'disk-low|T|': 'terminal-offline|T|',
    });
  });
});
