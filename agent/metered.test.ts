import { expect, test } from 'vitest';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { askingOf } from './metered.ts';

function settings(keepAliveSeconds: number, probeMillis = 30_000, pollSeconds = 300) {
  return {
    central: { probeMillis },
    edition: { pollSeconds },
    fleet: { keepAliveSeconds },
  } as Pick<AgentSettings, 'central' | 'edition' | 'fleet'>;
}

test('On an ordinary line the centre is asked as often as the settings say', () => {
  expect(askingOf(settings(599))).toEqual({ probeEvery: 30_000, pollEvery: 300_000 });
});

test('In the metered profile it is asked seldom, and more seldom still where the settings say so', () => {
  expect(askingOf(settings(600))).toEqual({ probeEvery: 86_400_000, pollEvery: 43_200_000 });
  expect(askingOf(settings(900, 30_000, 86_400)).pollEvery).toBe(86_400_000);
});
