import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { requires } from '#test/rigs/requirements.ts';

const here = import.meta.dirname;
const shipped = readFileSync(join(here, 'chrony.conf'), 'utf8');
const provisional = readFileSync(join(here, 'provisional.conf'), 'utf8');
const directives = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('The configuration of the time service', () => {
  test('It serves nobody, believes nobody without a proof, and runs as the user that the firewall knows', () => {
    expect(directives(shipped)).toEqual(
      expect.arrayContaining([
        'port 0',
        'cmdport 0',
        'authselectmode require',
        'nosystemcert',
        'user _chrony',
      ]),
    );
    expect(
      directives(shipped).filter((line) => /^(allow|cmdallow|local|server|pool|peer)\b/.test(line)),
    ).toEqual([]);
    const users = readFileSync(join(here, '../../systemd/checkpost.sysusers'), 'utf8');
    expect(users).toMatch(/^u _chrony 643 /m);
    expect(shipped).toContain('Number 643');
  });

  test('Time without a proof is bounded from the first measurement on, and chronyd does not end for it', () => {
    expect(directives(provisional)).toEqual(['authselectmode prefer', 'maxchange 2592000 0 -1']);
  });
});

// A terminal T and a server of time S as network namespaces with a veth pair between them; chronyd runs with -x, which
// never touches the clock of this machine.
const id = String(process.pid % 100_000);
const [T, S] = [`cpTt${id}`, `cpTs${id}`] as const;
const reason = requires({
  test: 'the time service',
  root: true,
  tools: ['chronyd', 'chronyc', 'ip', 'ss', 'setpriv'],
});
const folder = mkdtempSync(join(tmpdir(), 'checkpost-chrony-'));
const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
let started: ManagedProcess[] = [];

/**
 * The configuration as it ships, with every path of a terminal inside the folder of this test. Others may not enter it, or chronyd makes no
 * socket there.
 */
function terminalFiles(name: string, sources: string, more?: string): string {
  const root = join(folder, name);
  for (const dir of ['time.d', 'time-authorities', 'chrony.d', 'lib'])
    mkdirSync(join(root, dir), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, 'time.d/site.sources'), sources);
  if (more !== undefined) writeFileSync(join(root, 'chrony.d/more.conf'), more);
  const file = join(root, 'chrony.conf');
  const text = shipped
    .replaceAll('/etc/checkpost', root)
    .replaceAll('/var/lib/chrony', join(root, 'lib'))
    // The folder of the test is root's.
    .replace('user _chrony', 'user root');
  writeFileSync(file, `${text}${ownPaths(root)}`);
  return file;
}
const ownPaths = (root: string): string =>
  `\npidfile ${join(root, 'chronyd.pid')}\nbindcmdaddress ${join(root, 'chronyd.sock')}\n`;

function chronyd(netns: string, file: string): ManagedProcess {
  const one = new ManagedProcess({
    name: `chronyd in ${netns}`,
    command: 'ip',
    args: ['netns', 'exec', netns, 'chronyd', '-x', '-d', '-f', file],
    logFile: `${file}.log`,
  });
  started.push(one);
  return one;
}

function chronyc(file: string, ...args: string[]): string {
  const done = spawnSync('chronyc', ['-h', join(file, '../chronyd.sock'), '-N', '-c', ...args], {
    encoding: 'utf8',
  });
  return done.stdout.trim();
}
/** Fields of `chronyc authdata`, chronyc(1): name, mode, key, type, length, last, attempts, NAKs, cookies, length. */
const authdata = (file: string): string[] => chronyc(file, 'authdata').split(',');

async function startServer(): Promise<void> {
  const root = join(folder, 'server');
  mkdirSync(root, { mode: 0o700 });
  const authority = await makeAuthority();
  const { certificate, key } = await authority.issue({ name: 'time', ip: ['192.0.2.123'] });
  for (const [name, text] of Object.entries({
    'cert.pem': certificate,
    'key.pem': key,
    'ca.pem': authority.certificate,
  }))
    writeFileSync(join(root, name), text, { mode: 0o600 });
  const file = join(root, 'chrony.conf');
  writeFileSync(
    file,
    `local stratum 1\nallow\ncmdport 0\nuser root\nntsdumpdir ${root}\nntsserverkey ${root}/key.pem\nntsservercert ${root}/cert.pem\n${ownPaths(root)}`,
  );
  const server = new ManagedProcess({
    name: 'time server',
    command: 'ip',
    args: ['netns', 'exec', S, 'chronyd', '-x', '-d', '-f', file],
    logFile: `${file}.log`,
  });
  await server.start();
  closeServer = () => server.stop();
  await eventually(() => existsSync(join(root, 'chronyd.sock')), { what: 'the time server' });
}
let closeServer: () => Promise<unknown> = () => Promise.resolve();

beforeAll(async () => {
  if (reason !== undefined) return;
  for (const netns of [T, S]) run('ip', 'netns', 'add', netns);
  run('ip', 'link', 'add', `t${id}`, 'netns', T, 'type', 'veth', 'peer', 'name', `s${id}`, 'netns', S);
  for (const [netns, device, address] of [
    [T, `t${id}`, '192.0.2.10/24'],
    [S, `s${id}`, '192.0.2.123/24'],
  ] as const) {
    run('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    run('ip', '-n', netns, 'address', 'add', address, 'dev', device);
    run('ip', '-n', netns, 'link', 'set', device, 'up');
  }
  await startServer();
});

afterEach(async () => {
  for (const one of started) await one.stop();
  started = [];
});

afterAll(async () => {
  await closeServer();
  if (reason === undefined) for (const netns of [T, S]) spawnSync('ip', ['netns', 'delete', netns]);
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(reason !== undefined)('The time service', () => {
  test('chronyd accepts both files as they ship, and notices a directive that does not exist', () => {
    const print = (file: string) => spawnSync('chronyd', ['-p', '-f', file], { encoding: 'utf8' });
    expect(print(join(here, 'chrony.conf'))).toMatchObject({ status: 0 });
    expect(print(join(here, 'provisional.conf'))).toMatchObject({ status: 0 });
    const broken = join(folder, 'broken.conf');
    writeFileSync(broken, shipped.replace('makestep 1 3', 'makesteps 1 3'));
    expect(print(broken).status).not.toBe(0);
  });

  test('A server with a certificate of the bureau is authenticated by NTS and chosen; nothing listens for it at the terminal', async () => {
    const file = terminalFiles('nts', 'server 192.0.2.123 nts iburst minpoll 0 maxpoll 0\n');
    writeFileSync(join(file, '../time-authorities/bureau.pem'), readFileSync(join(folder, 'server/ca.pem')));
    await chronyd(T, file).start();
    await eventually(() => Number(authdata(file)[8]) > 0, { what: 'cookies for NTS', timeoutMs: 20_000 });
    expect(authdata(file).slice(0, 2)).toEqual(['192.0.2.123', 'NTS']);
    await eventually(() => chronyc(file, 'sources').startsWith('^,*,192.0.2.123'), {
      what: 'the server being chosen',
      timeoutMs: 20_000,
    });
    // Sockets of the client are connected to the server; nothing else may be bound.
    expect(run('ip', 'netns', 'exec', T, 'ss', '-Hlntu')).toBe('');
  });

  test('A server whose certificate nobody here believes gives no time', async () => {
    const file = terminalFiles('foreign', 'server 192.0.2.123 nts iburst minpoll 0 maxpoll 0\n');
    await chronyd(T, file).start();
    await eventually(() => readFileSync(`${file}.log`, 'utf8').includes('TLS handshake with 192.0.2.123'), {
      what: 'the certificate being refused',
      timeoutMs: 20_000,
    });
    expect(Number(authdata(file)[8])).toBe(0);
    expect(chronyc(file, 'sources')).not.toContain('^,*');
  });

  test('A server without NTS is measured and never chosen, until the provisional file is there', async () => {
    const sources = 'server 192.0.2.123 iburst minpoll 0 maxpoll 0\n';
    const strict = terminalFiles('strict', sources);
    const first = chronyd(T, strict);
    await first.start();
    // Reached eight times in a row (octal 377), and still not chosen.
    await eventually(() => chronyc(strict, 'sources').split(',')[5] === '377', {
      what: 'eight answers',
      timeoutMs: 40_000,
    });
    expect(chronyc(strict, 'sources')).not.toContain('^,*');
    await first.stop();
    const loose = terminalFiles('loose', sources, provisional);
    await chronyd(T, loose).start();
    await eventually(() => chronyc(loose, 'sources').startsWith('^,*,192.0.2.123'), {
      what: 'the provisional server being chosen',
      timeoutMs: 20_000,
    });
  });
});
