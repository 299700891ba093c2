import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { requires } from './requirements.ts';

const [programs = ''] = globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed();

/** Why there can be no server of PostgreSQL on this machine, or undefined where there can be one. */
export function postgresMissing(test: string): string | undefined {
  return requires({ test, tools: ['psql', 'runuser', 'pg_ctlcluster'] });
}

/** A server of PostgreSQL of one's own: a Unix socket in a folder of one's own, no port, no sync to disk. */
export interface TestPostgres {
  /** Makes an empty database; the answer is its address for `openPostgres`. */
  create(): string;
  drop(url: string): void;
  /** One statement as the superuser, in the database of the address; its output without headings. */
  sql(url: string, statement: string): string;
  /** Breaks every connection, and comes back. */
  restart(): void;
  stop(): void;
  start(): void;
  /** Stops it and takes its folder away. */
  close(): void;
}

/**
 * Runs a line of the shell at the end of this process, however it ends: a small process of its own waits for that. The answer
 * lets it run at once.
 */
export function afterUs(line: string): () => void {
  const keeper = spawn('sh', ['-c', `trap '' INT TERM HUP; cat; ${line}`], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  return () => keeper.stdin.destroy();
}

/** Starts a server. It is stopped, and its folder taken away, at the end of this process at the latest. */
export function startPostgres(): TestPostgres {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-postgres-'));
  chmodSync(folder, 0o755);
  const home = join(folder, 'server');
  const data = join(home, 'data');
  mkdirSync(home, { mode: 0o700 });
  if (userInfo().uid === 0) {
    const [uid = 0, gid = 0] = ['-u', '-g'].map((what) =>
      Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(home, uid, gid);
  }
  const control = (...args: readonly string[]): string => asPostgres('pg_ctl', ...args, '-D', data, '-w');
  const stopNow = commandOf('pg_ctl', 'stop', '-m', 'immediate', '-D', data, '-w').join(' ');
  const done = afterUs(`${stopNow} >/dev/null 2>&1; rm -rf ${folder}`);
  const options = `-k ${home} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=60`;
  const start = (): void => {
    control('start', '-l', join(home, 'log'), '-o', options);
  };
  const made = ['--auth=trust', '--username=checkpost', '--encoding=UTF8', '--no-sync'];
  asPostgres('initdb', '--pgdata', data, ...made);
  start();
  const addressOf = (name: string): string => `postgres://checkpost@localhost/${name}?host=${home}`;
  const sql = (url: string, statement: string): string =>
    execFileSync('psql', ['--no-psqlrc', '-qAtX', '-v', 'ON_ERROR_STOP=1', '-c', statement, url], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  let count = 0;
  return {
    create() {
      const name = `test_${++count}`;
      sql(addressOf('postgres'), `CREATE DATABASE ${name}`);
      return addressOf(name);
    },
    drop(url) {
      const name = new URL(url).pathname.slice(1);
      sql(addressOf('postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
    sql,
    restart() {
      control('restart', '-m', 'fast', '-l', join(home, 'log'));
    },
    stop() {
      control('stop', '-m', 'fast');
    },
    start,
    close() {
      control('stop', '-m', 'immediate');
      rmSync(folder, { recursive: true, force: true });
      done();
    },
  };
}

/** PostgreSQL does not run as root. */
function commandOf(program: string, ...args: readonly string[]): string[] {
  const whole = [join(programs, program), ...args];
  return userInfo().uid === 0 ? ['runuser', '-u', 'postgres', '--', ...whole] : whole;
}

function asPostgres(program: string, ...args: readonly string[]): string {
  const [command = '', ...rest] = commandOf(program, ...args);
  // What the server inherits it would keep open: nothing of it is a pipe of ours.
  return execFileSync(command, rest, { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'ignore', 'ignore'] });
}
