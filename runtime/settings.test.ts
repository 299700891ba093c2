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
  edition: { folder: 'e' },
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

  test('of a group that has several kinds is said of the kind that was chosen, with its range', () => {
    const profile = {
      name: 'ours',
      family: 'swipe',
      title: 'Ours',
      link: { kind: 'serial', baudRate: 5, speed: 1 },
      framing: { kind: 'linez' },
      protocol: { kind: 'listen', trigger: { start: 'xy', stop: '00' } },
    };
    const parsed = parseSettings(AgentSettings, { ...good, profiles: [profile] }, 'agent.json');
    if (parsed.ok) throw new Error('it was accepted');
    const lines = parsed.fault.detail.split('\n').slice(1);
    expect(lines).toEqual([
      'profiles.0.link.speed: is not a setting; settings here: kind, baudRate, dataBits, parity, stopBits, dtr',
      'profiles.0.link.baudRate: found 5; allowed: a whole number from 300 to 921600 baud',
      'profiles.0.framing.kind: found "linez"; allowed: one of lines, ocr31x, rte6701, elyctis',
      'profiles.0.protocol.trigger.start: found "xy"; allowed: bytes as pairs of hexadecimal digits',
    ]);
  });

  test('is none where a group of several kinds leaves out what has a default', () => {
    const profile = {
      name: 'ours',
      family: 'swipe',
      title: 'Ours',
      link: { kind: 'serial', baudRate: 19_200 },
      framing: { kind: 'lines' },
      protocol: { kind: 'listen' },
    };
    const parsed = parseSettings(AgentSettings, { ...good, profiles: [profile] }, 'agent.json');
    expect(parsed).toMatchObject({
      ok: true,
      value: { profiles: [{ link: { parity: 'none', dtr: true }, framing: { lastLineEnd: true } }] },
    });
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
