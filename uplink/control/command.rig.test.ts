import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Control, type Handlers, openControl } from './index.ts';
import { fail, ok } from '#contracts/result.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';

// `checkpost-uplink` as a field engineer types it, against the real control socket with handlers that only note what
// they were told.

const rootless = requires({ test: 'a user who may not open the socket', root: true, tools: ['setpriv'] });
const program = resolve(import.meta.dirname, '../../bin/checkpost-uplink');
let folder: string;
let socket: string;
let uid: number;
let status: UplinkStatus;
let told: unknown[];
let control: Control | undefined;
const listeners = new Set<() => void>();
const children = new Set<ChildProcess>();

const note = (...what: unknown[]) => {
  told.push(what);
  return ok(undefined);
};
const handlers: Handlers = {
  status: () => status,
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  apply: (envelope) => Promise.resolve(note('apply', envelope)),
  rotate: (hub) =>
    Promise.resolve(hub === 'hub-two' ? fail('ROTATION_FAILED', 'hub-two is silent') : note('rotate', hub)),
  probe: () => note('probe'),
  prefer: (choice) => note('prefer', choice),
  enrolment: (seconds) => Promise.resolve(note('enrolment', seconds)),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-uplink-'));
  socket = join(folder, 'control.sock');
  uid = 0;
  status = wellStatus;
  told = [];
  await open();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await control?.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<void> {
  const opened = await openControl({
    path: socket,
    handlers,
    credentialsOf: () => ok({ uid }),
    users: () => ({ own: 642, agent: 641 }),
    clock: systemClock,
    log: silentLog,
  });
  if (!opened.ok) throw toError(opened.fault);
  control = opened.value;
}

function change(to: UplinkStatus): void {
  status = to;
  for (const listener of listeners) listener();
}

interface Called {
  out: string;
  err: string;
  readonly exit: Promise<number | null>;
  stop(): void;
}

function start(...args: readonly string[]): Called {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const exit = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const called: Called = { out: '', err: '', exit, stop: () => void child.kill('SIGTERM') };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (called.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (called.err += text));
  return called;
}

async function call(...args: readonly string[]) {
  const called = start(...args);
  return { exit: await called.exit, out: called.out, err: called.err };
}
const at = (): string[] => ['--socket', socket];

describe('checkpost-uplink status', () => {
  test('says in plain words how it is, and exits 0 while the tunnel is up', async () => {
    const said = await call('status', ...at());
    expect(said).toMatchObject({ exit: 0, err: '' });
    expect(said.out.split('\n').slice(0, 5)).toEqual([
      'Connected through dsl and hub-one for 3 min.',
      'Why: the preferred one works',
      '',
      'Uplinks (> carries)',
      '> dsl, eth0: works, for 3 min',
    ]);
  });

  test('exits 1 while it is not', async () => {
    status = { ...wellStatus, state: 'lines-down', carrying: null, evidence: '', since: 70 };
    const said = await call('status', ...at());
    expect(said.exit).toBe(1);
    expect(said.out).toMatch(/^NOT CONNECTED: no uplink works, for 1 min\.\n/);
  });

  test('prints the status as it came for a machine', async () => {
    const said = await call('status', ...at(), '--json');
    expect(said.exit).toBe(0);
    expect(JSON.parse(said.out)).toEqual(wellStatus);
  });

  test('finds the socket by the configuration of the uplink', async () => {
    const file = join(folder, 'uplink.json');
    const key = `${'A'.repeat(42)}A=`;
    writeFileSync(
      file,
      JSON.stringify({
        terminal: 'UTO-0001-1',
        state: 'state',
        run: '.',
        privateKey: 'key',
        addresses: ['10.64.0.2/32'],
        reach: ['10.65.0.0/24'],
        uplinks: [{ name: 'dsl', device: 'eth0', metric: 1, probeAddress: '10.66.0.2' }],
        hubs: [
          {
            name: 'hub-one',
            publicKey: key,
            endpoint: '192.0.2.1:51820',
            address: '10.64.0.1',
            probeAddress: '10.66.0.1',
          },
        ],
      }),
    );
    expect((await call('status', '--config', file)).out).toMatch(/^Connected through dsl/);
    expect((await call('status', '--config', file, ...at())).exit).toBe(2);
  });

  test('says that nothing answers where no uplink runs, and what to do', async () => {
    const said = await call('status', '--socket', join(folder, 'none.sock'));
    expect(said).toMatchObject({ exit: 1, out: '' });
    expect(said.err).toContain('UPLINK_ABSENT');
    expect(said.err).toContain('systemctl status checkpost-uplink');
  });

  test('is not deceived by something else that answers there', async () => {
    const other = join(folder, 'other.sock');
    const server = createServer((connection) => void connection.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((done) => server.listen(other, done));
    const said = await call('status', '--socket', other, '--json');
    expect(said.exit).toBe(1);
    expect(JSON.parse(said.out)).toMatchObject({ error: { code: 'UPLINK_ABSENT' } });
    server.close();
  });

  test('says to a user without the right to it that there is none', async () => {
    uid = 1000;
    const said = await call('status', ...at());
    expect(said.exit).toBe(1);
    expect(said.err).toContain('UPLINK_DENIED');
    expect(said.err).toContain('Run the command as root.');
  });

  test.skipIf(rootless !== undefined)(
    'says to a user who may not open the socket that he may not, and not that there is none',
    () => {
      const user = '--reuid 65534 --regid 65534 --clear-groups'.split(' ');
      const said = spawnSync('setpriv', [...user, program, 'status', ...at()], { encoding: 'utf8' });
      expect(said.status).toBe(1);
      expect(said.stderr).toContain('UPLINK_DENIED');
      expect(said.stderr).toContain('EACCES');
    },
  );
});

describe('checkpost-uplink status --follow', () => {
  test('prints a new block after each change that counts, also over a restart of the uplink', async () => {
    const followed = start('status', ...at(), '--follow');
    await eventually(() => followed.out.includes('Tried lately') && listeners.size === 1);
    const blocks = (): string[] => followed.out.split('\n').filter((line) => /^(Connected|NOT)/.test(line));
    change({ ...wellStatus, since: 999, events: [] });
    change({ ...wellStatus, state: 'hubs-down', carrying: null, since: 1 });
    await eventually(() => blocks().length === 2);
    await control?.close();
    await eventually(() => blocks().length === 3);
    status = wellStatus;
    await open();
    await eventually(() => blocks().length === 4);
    followed.stop();
    expect(await followed.exit).toBe(0);
    expect(blocks()).toEqual([
      'Connected through dsl and hub-one for 3 min.',
      'NOT CONNECTED: the lines work, but no hub answers over any of them, for 1 s.',
      'NOT KNOWN: the uplink does not answer.',
      'Connected through dsl and hub-one for 3 min.',
    ]);
  });

  test('with --json prints one object a line, and exits 1 where it was not up at the end', async () => {
    const followed = start('status', ...at(), '--follow', '--json');
    await eventually(() => listeners.size === 1);
    change({ ...wellStatus, state: 'starting', carrying: null });
    const lines = (): { state?: string; error?: { code: string } }[] =>
      followed.out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { state?: string; error?: { code: string } });
    await eventually(() => lines().length === 2);
    await control?.close();
    await eventually(() => lines().length === 3);
    followed.stop();
    expect(await followed.exit).toBe(1);
    expect(lines().map(({ state, error }) => state ?? error?.code)).toEqual([
      'up',
      'starting',
      'UPLINK_ABSENT',
    ]);
  });
});

describe('The other verbs', () => {
  test('Each does one thing and says so', async () => {
    const file = join(folder, 'signed.json');
    writeFileSync(file, '{"payload":"e30","signatures":[]}');
    const cases: readonly [readonly string[], RegExp, unknown][] = [
      [['probe'], /being probed/, ['probe']],
      [['rotate'], /with every hub/, ['rotate', undefined]],
      [['rotate', '--hub', 'hub-one'], /with hub-one/, ['rotate', 'hub-one']],
      [
        ['prefer', '--uplink', 'lte', '--hub', 'hub-two'],
        /lte and hub-two carry/,
        ['prefer', { auto: false, uplink: 'lte', hub: 'hub-two' }],
      ],
      [['prefer', '--auto'], /by itself again/, ['prefer', { auto: true }]],
      [['apply', file], /on probation/, ['apply', { payload: 'e30', signatures: [] }]],
      [['enrolment', '--seconds', '600'], /for 600 s/, ['enrolment', 600]],
      [['enrolment', '--seconds', '0'], /closed/, ['enrolment', 0]],
    ];
    const said = await Promise.all(cases.map(([args]) => call(...args, ...at())));
    for (const [n, [, words]] of cases.entries())
      expect(said[n]).toMatchObject({ exit: 0, err: '', out: expect.stringMatching(words) });
    expect(told).toHaveLength(cases.length);
    expect(told).toEqual(expect.arrayContaining(cases.map(([, , what]) => what)));
    expect((await call('probe', ...at(), '--json')).out).toBe('{"ok":true}\n');
  });

  test('What the uplink could not do is a fault with its code', async () => {
    const said = await call('rotate', '--hub', 'hub-two', ...at(), '--json');
    expect(said.exit).toBe(1);
    expect(JSON.parse(said.out)).toEqual({ error: { code: 'ROTATION_FAILED', detail: 'hub-two is silent' } });
  });

  test('The agent’s user may not open the closed list', async () => {
    uid = 641;
    expect((await call('enrolment', '--seconds', '60', ...at())).err).toContain('UPLINK_DENIED');
    expect(told).toEqual([]);
  });

  test('A file that is none, is no JSON or no object is refused before anything is sent', async () => {
    const file = join(folder, 'signed.json');
    expect((await call('apply', join(folder, 'none.json'), ...at())).err).toContain('FILE_REFUSED');
    for (const text of ['{', '[1]', 'null']) {
      writeFileSync(file, text);
      expect(await call('apply', file, ...at())).toMatchObject({
        exit: 1,
        err: expect.stringContaining('ENVELOPE_INVALID'),
      });
    }
    writeFileSync(file, JSON.stringify({ payload: 'x'.repeat(70_000) }));
    expect((await call('apply', file, ...at())).err).toContain('UPLINK_REQUEST_INVALID');
    expect(told).toEqual([]);
  });

  test('Called wrongly it says how, exits 2 and does nothing', async () => {
    const wrong: readonly (readonly string[])[] = [
      [],
      ['fly'],
      ['status', 'more'],
      ['status', '--hub', 'hub-one'],
      ['probe', '--follow'],
      ['rotate', '--hub', 'Hub One'],
      ['rotate', '--uplink', 'dsl'],
      ['prefer'],
      ['prefer', '--auto', '--hub', 'hub-one'],
      ['prefer', '--uplink', ''],
      ['apply'],
      ['enrolment'],
      ['enrolment', '--seconds', '3601'],
      ['enrolment', '--seconds', '-1'],
      ['enrolment', '--seconds', '1e2'],
      ['--config', 'x.json', '--part', 'whole'],
      ['--config', 'x.json'],
      ['--config', 'x.json', '--check-config', '--public-key'],
      ['--config', 'x.json', '--part', 'outer', '--follow'],
    ];
    for (const args of wrong) {
      const said = await call(...args, ...(args[0]?.startsWith('--') === true ? [] : at()));
      expect({ args, exit: said.exit }).toEqual({ args, exit: 2 });
      expect(said.err).toContain('USAGE');
    }
    expect(told).toEqual([]);
  });

  test('The help names every verb and says what the exit codes of status mean', async () => {
    const help = (await call('--help')).out;
    for (const verb of ['status', 'probe', 'rotate', 'prefer', 'apply FILE', 'enrolment'])
      expect(help).toContain(`checkpost uplink ${verb}`);
    expect(help).toContain('status: 0 the tunnel is up, 1 it is not');
  });
});
