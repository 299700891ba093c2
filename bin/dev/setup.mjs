// Sets up what is missing, then runs a script with the project's own Node. Plain JavaScript without packages, since it
// runs before there are any, by whatever Node the machine has (18 or later).
//
//   node bin/dev/setup.mjs LEVEL [-- SCRIPT ARGUMENTS…]
//
// LEVEL: packages  Node 24 and the packages of the lockfile
//        build     and the bundle and pages in dist/
//        run       and Debian's Mosquitto and socat, for the demo
//        test      and what the tests of real parts need: Chromium, nftables, WireGuard in user space, …
//
// Nothing is done twice: a second run compares two hashes and a list of programs, in a few milliseconds.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const node = join(root, 'node_modules/.bin/node');
const stamps = join(root, '.setup');
const levels = ['packages', 'build', 'run', 'test'];

/** Programs by the Debian package that has them. */
const programs = {
  run: { mosquitto: 'mosquitto', socat: 'socat' },
  test: {
    chromium: 'chromium',
    nft: 'nftables',
    wg: 'wireguard-tools',
    'wireguard-go': 'wireguard-go',
    ip: 'iproute2',
    udevadm: 'udev',
    openssl: 'openssl',
    strace: 'strace',
    'umockdev-run': 'umockdev',
    'qemu-system-x86_64': 'qemu-system-x86',
    ps: 'procps',
    'systemd-analyze': 'systemd',
    ping: 'iputils-ping',
    sysctl: 'procps',
    tcpdump: 'tcpdump',
    chronyd: 'chrony',
    mount: 'mount',
    pg_ctlcluster: 'postgresql',
    psql: 'postgresql',
    promtool: 'prometheus',
    mosquitto_sub: 'mosquitto-clients',
  },
};

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}

function stampIs(name, value) {
  const file = join(stamps, name);
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

function setStamp(name, value) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(join(stamps, name), value);
}

function packages() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    hash.update(readFileSync(join(root, file)));
  const wanted = hash.digest('hex');
  if (stampIs('packages', wanted) && existsSync(node)) return;
  say('installing Node 24 and the packages of the lockfile through npm …');
  // The variables of the npm that called this script would be taken by the inner one as its own settings.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/.test(name)),
  );
  const done = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (done.error) stop(`npm cannot be run (${done.error.message}); install it with: apt-get install npm`);
  if (done.status !== 0)
    stop('npm could not install the packages; what it said stands above. Check the network and try again.');
  if (!existsSync(node))
    stop(
      `there is no Node 24 for this machine (${process.platform} ${process.arch}); Linux on x64 and arm64 is supported.`,
    );
  setStamp('packages', wanted);
}

/** Names, sizes and times of all sources: enough to know that nothing changed, in milliseconds. */
function sourceHash() {
  const hash = createHash('sha256');
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (!entry.name.endsWith('.test.ts')) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${path} ${size} ${mtimeMs}\n`);
      }
    }
  };
  for (const room of [
    'contracts',
    'formats',
    'runtime',
    'agent',
    'uplink',
    'central',
    'provisioning',
    'bin',
    'test/rigs',
  ]) {
    walk(join(root, room));
  }
  hash.update(readFileSync(join(stamps, 'packages')));
  return hash.digest('hex');
}

function build() {
  const wanted = sourceHash();
  if (stampIs('build', wanted) && existsSync(join(root, 'dist/checkpost.cjs'))) return;
  say('building the bundle and the pages …');
  const done = spawnSync(node, [join(root, 'bin/dev/build.ts')], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) stop('the build failed; what it said stands above.');
  setStamp('build', wanted);
}

function isInstalled(program) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Installs what is missing through apt, saying so first. Where it cannot, says how a person can. */
function debian(wanted, mustHave) {
  const missing = [
    ...new Set(
      Object.entries(wanted)
        .filter(([program]) => !isInstalled(program))
        .map(([, name]) => name),
    ),
  ];
  if (missing.length === 0) return;
  const byHand = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  const give = (reason) =>
    mustHave
      ? stop(`${reason} Install by hand, as root: ${byHand}`)
      : say(`${reason} The tests that need it are left out. By hand, as root: ${byHand}`);
  if (!isInstalled('apt-get')) return give(`missing here: ${missing.join(', ')}.`);
  if (process.getuid?.() !== 0) return give(`missing here: ${missing.join(', ')}; installing needs root.`);
  say(`installing through apt: ${missing.join(', ')} …`);
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  apt('update');
  // One by one where all at once fails, so that one package that is not to be had does not cost the others.
  const all = apt('install', '--no-install-recommends', ...missing);
  if (all.status === 0) return;
  const failed = missing.filter((name) => apt('install', '--no-install-recommends', name).status !== 0);
  if (failed.length > 0)
    give(`apt could not install ${failed.join(', ')}: ${all.stderr.trim().split('\n').at(-1)}`);
}

function run([script, ...args]) {
  const child = spawn(node, [join(root, script), ...args], {
    cwd: process.cwd(),
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  // Ctrl-C reaches the whole group, so the child has it already; a signal sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

const [level, dashes, ...rest] = process.argv.slice(2);
const wanted = levels.indexOf(level ?? '');
if (wanted < 0 || (dashes !== undefined && dashes !== '--')) {
  stop(`usage: node bin/dev/setup.mjs ${levels.join('|')} [-- SCRIPT ARGUMENTS…]`);
}
const began = Date.now();
packages();
if (wanted >= levels.indexOf('build')) build();
if (wanted >= levels.indexOf('run')) debian(programs.run, true);
if (wanted >= levels.indexOf('test')) debian(programs.test, false);
if (process.env.CHECKPOST_SETUP_TIME) say(`took ${Date.now() - began} ms`);
if (rest.length > 0) run(rest);
