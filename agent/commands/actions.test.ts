import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleBytes, DiagnosticBundle } from '#contracts/bundle.ts';
import { fail, ok } from '#contracts/result.ts';
import { LogRing } from '#runtime/log-ring.ts';
import { silentLog } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { seeded } from '#test/rigs/random.ts';
import { type ActionPorts, createActions } from './actions.ts';
import { type BundleSources, makeBundle } from './bundle.ts';
import { keyOf } from './test-bench.ts';

const id = '019bc000-0000-7000-8000-000000000001';
let folder: string;
let clock: TestClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-actions-'));
  clock = new TestClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

function sources(more: Partial<BundleSources> = {}): BundleSources {
  return {
    terminal: 'UTO-0001-1',
    boot: 'boot-1',
    now: () => '2026-01-15T08:00:00.000Z',
    versions: () => ({ checkpost: '1.0.0', node: 'v24' }),
    status: () => ({ link: 'up' }),
    health: () => ({ disk: { freeBytes: 1 } }),
    uplink: () => null,
    configuration: () => ({ keys: '/var/lib/checkpost/keys' }),
    log: new LogRing(),
    ...more,
  };
}

async function bundleOf(
  more: Partial<BundleSources>,
): Promise<{ text: string; bundle: DiagnosticBundle; size: number }> {
  const made = await makeBundle(id, sources(more));
  if (!made.ok) throw new Error(made.fault.detail);
  const text = gunzipSync(made.value).toString();
  const parsed = parseJson(DiagnosticBundle, text, 'INTERNAL');
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return { text, bundle: parsed.value, size: made.value.length };
}

describe('a diagnostic bundle', () => {
  test('has status, health, uplink, configuration, versions and the log, newest last', async () => {
    const log = new LogRing();
    for (const line of ['first', 'second']) log.write(`${line}\n`);
    const { bundle } = await bundleOf({ log });
    expect(bundle).toMatchObject({
      id,
      terminal: 'UTO-0001-1',
      versions: { checkpost: '1.0.0' },
      status: { link: 'up' },
      configuration: { keys: '/var/lib/checkpost/keys' },
      missing: [],
      log: { lines: ['first', 'second'], leftOut: 0 },
    });
  });

  test('has no secret and no document, also where somebody put one into settings or log by mistake', async () => {
    const pem = keyOf('online').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const wireGuard = Buffer.alloc(32, 0xa7).toString('base64');
    const mrz = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10';
    const log = new LogRing();
    for (const text of [pem, wireGuard, mrz]) log.write(`${JSON.stringify({ msg: `a mistake: ${text}` })}\n`);
    const { text } = await bundleOf({
      log,
      configuration: () => ({
        list: [pem],
        key: '/var/lib/checkpost/key.pem',
        password: 'hunter2',
        hub: { presharedKey: wireGuard, pskFile: '/etc/psk' },
        note: mrz,
      }),
    });
    const found = [pem.split('\n')[1] ?? pem, wireGuard, 'L898902C3', 'hunter2'].filter((one) =>
      text.includes(one),
    );
    expect(found).toEqual([]);
    expect(text).toContain('/var/lib/checkpost/key.pem');
    expect(text).toContain('/etc/psk');
    expect(text).toContain('a mistake');
  });

  test('is made although a part of the terminal does not answer, and says which', async () => {
    const { bundle } = await bundleOf({
      health: () => {
        throw new Error('broken');
      },
      configuration: () => 'x'.repeat(1_000_000),
    });
    expect([bundle.missing, bundle.health]).toEqual([['health', 'configuration'], null]);
  });

  test('stays within its size, with the newest lines', async () => {
    const random = seeded(1);
    const line = (): string =>
      Buffer.from(Array.from({ length: 3000 }, () => random() * 256)).toString('base64');
    const lines = Array.from({ length: 1000 }, line);
    const { bundle, size } = await bundleOf({ log: { lines: () => lines, dropped: 5 } });
    expect(size).toBeLessThanOrEqual(bundleBytes);
    expect(bundle.log.lines.at(-1)).toBe(lines.at(-1));
    expect(bundle.log.lines.length + bundle.log.leftOut).toBe(1005);
  });
});

function actions(more: Partial<ActionPorts> = {}) {
  const nothing = (): never => {
    throw new Error('this is not asked for');
  };
  return createActions({
    clock,
    report: nothing,
    bundle: sources(),
    upload: {
      url: 'https://localhost:1',
      tls: { authority: '', certificate: '', key: '' },
      random: () => 0,
      log: silentLog,
    },
    probe: nothing,
    restart: nothing,
    rebootFile: join(folder, 'reboot'),
    rotate: nothing,
    rebuild: nothing,
    drill: nothing,
    ...more,
  });
}
const never = new AbortController().signal;

describe('a reboot', () => {
  const file = (): string => join(folder, 'reboot');

  test('is a file that the system takes away, which only its user can read', async () => {
    const asked = actions().reboot({ kind: 'reboot' }, never, id);
    await eventually(() => existsSync(file()));
    expect([statSync(file()).mode & 0o777, readFileSync(file(), 'utf8')]).toEqual([0o600, '']);
    rmSync(file());
    await eventually(async () => {
      await clock.advance(250);
      return clock.waiting === 0;
    });
    expect((await asked).ok).toBe(true);
  });

  test('has failed where nobody takes the file away, and leaves none that would be taken later', async () => {
    writeFileSync(file(), 'of an earlier time');
    const asked = actions().reboot({ kind: 'reboot' }, never, id);
    await eventually(async () => {
      await clock.advance(1000);
      return !existsSync(file());
    });
    expect(await asked).toMatchObject({ ok: false, fault: { code: 'COMMAND_UNSUPPORTED' } });
  });

  test('has failed where the file cannot be written', async () => {
    const asked = actions({ rebootFile: join(folder, 'nowhere/reboot') }).reboot(
      { kind: 'reboot' },
      never,
      id,
    );
    expect(await asked).toMatchObject({ ok: false, fault: { code: 'FILE_REFUSED' } });
  });
});

describe('the other commands', () => {
  test('end the process a second after it was said that they will', async () => {
    const restarts: string[] = [];
    const restart = actions({ restart: (why) => restarts.push(why) })['restart-agent'];
    expect((await restart({ kind: 'restart-agent' }, never, id)).ok).toBe(true);
    expect(restarts).toEqual([]);
    await clock.advance(1000);
    expect(restarts).toEqual(['command']);
  });

  test('reach the part that does them, and give its fault back', async () => {
    const { 'reader-probe': probe, 'rotate-keys': rotate } = actions({
      probe: (reader) => Promise.resolve(ok(`${reader}: 9600 8N1`)),
      rotate: () => Promise.resolve(fail('UPLINK_ABSENT', 'nothing answers')),
    });
    expect(await probe({ kind: 'reader-probe', reader: 'counter-1' }, never, id)).toEqual(
      ok('counter-1: 9600 8N1'),
    );
    expect(await rotate({ kind: 'rotate-keys' }, never, id)).toMatchObject({
      fault: { code: 'COMMAND_UNSUPPORTED' },
    });
  });
});
