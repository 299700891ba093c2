import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { loadSettings, parseSettings } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpost-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const good = {
  terminal: 'UTO-0001-1',
  bureau: 'UTO',
  site: 'UTO-0001',
  state: 'data',
  tls: { authority: 'a.pem', certificate: '/etc/c.pem', key: 'k.pem' },
  keys: 'keys',
  central: { url: 'https://localhost:8443' },
  fleet: { url: 'mqtts://localhost:8883' },
  edition: { file: 'e' },
};

describe('A configuration', () => {
  test('has its defaults filled in, and relative paths meant from its own folder', () => {
    const file = join(folder, 'agent.json');
    writeFileSync(file, JSON.stringify(good));
    const loaded = loadSettings(AgentSettings, file);
    if (!loaded.ok) throw new Error(loaded.fault.detail);
    expect(loaded.value.state).toBe(join(folder, 'data'));
    expect(loaded.value.tls.certificate).toBe('/etc/c.pem');
    expect(loaded.value.central.deadlineMillis).toBe(1500);
    expect(loaded.value.policy.editionMaxAgeSeconds).toBe(172_800);
    expect(loaded.value.log.level).toBe('info');
  });

  test('with many faults names them all at once: file, setting, what was found and what is allowed', () => {
    const bad = {
      ...good,
      terminal: 7,
      surplus: 1,
      fleet: { url: 'mqtt://x', keepAliveSeconds: 1 },
      log: { level: 'loud' },
    };
    const parsed = parseSettings(AgentSettings, bad, 'agent.json');
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.fault.code).toBe('SETTINGS_INVALID');
    for (const part of [
      'agent.json',
      'terminal',
      'surplus',
      'fleet.url',
      'fleet.keepAliveSeconds',
      '5',
      '600',
      'log.level',
      'trace',
    ]) {
      expect(parsed.fault.detail).toContain(part);
    }
  });

  test('that lacks what has no default says which', () => {
    const { edition: _, ...without } = good;
    const parsed = parseSettings(AgentSettings, without, 'agent.json');
    expect(parsed).toMatchObject({
      ok: false,
      fault: { detail: expect.stringContaining('edition') as string },
    });
  });

  test('that is missing, or no JSON, is another fault', () => {
    expect(loadSettings(AgentSettings, join(folder, 'none.json'))).toMatchObject({
      ok: false,
      fault: { code: 'SETTINGS_UNREADABLE' },
    });
    writeFileSync(join(folder, 'broken.json'), '{"a": 1,}');
    expect(loadSettings(AgentSettings, join(folder, 'broken.json'))).toMatchObject({
      ok: false,
      fault: { code: 'SETTINGS_NOT_JSON' },
    });
  });
});
