import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initAuthority } from '#provisioning/index.ts';
import { machineParts } from '../../bin/verbs.ts';
import { valueOf } from '../rigs/bureau.ts';
import { requires } from '../rigs/requirements.ts';

// A real server of a bureau's collection on a Unix socket, and the pipe that docs/collection.md shows.
const [programs = ''] = globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed();
const reason = requires({
  test: 'a collection out of PostgreSQL',
  tools: ['psql', 'runuser', 'pg_ctlcluster'],
});
const root = join(import.meta.dirname, '../..');
const rows = 5000;
let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

/** PostgreSQL does not run as root. */
function asPostgres(program: string, ...args: readonly string[]): string {
  const whole = [join(programs, program), ...args];
  const [command = '', ...rest] =
    userInfo().uid === 0 ? ['runuser', '-u', 'postgres', '--', ...whole] : whole;
  return execFileSync(command, rest, { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeAll(async () => {
  if (reason !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'checkpost-postgres-'));
  chmodSync(folder, 0o755);
  mkdirSync(at('server'), { mode: 0o700 });
  if (userInfo().uid === 0) {
    const [uid, gid] = ['-u', '-g'].map((what) =>
      Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(at('server'), uid ?? 0, gid ?? 0);
  }
  asPostgres(
    'initdb',
    '--pgdata',
    at('server/data'),
    '--auth=trust',
    '--username=bureau',
    '--encoding=UTF8',
    '--no-sync',
  );
  const options = `-k ${at('server')} -c listen_addresses='' -c fsync=off`;
  asPostgres('pg_ctl', 'start', '-w', '-D', at('server/data'), '-l', at('server/log'), '-o', options);
  valueOf(await initAuthority({ dir: at('authority'), bureau: 'UTO', passphrase: null }, machineParts));
  sql(
    `CREATE TABLE sltd (id bigserial PRIMARY KEY, state text, number text, kind text, loss text, day date, remark text)`,
  );
  sql(`INSERT INTO sltd (state, number, kind, loss, day, remark)
    SELECT 'UTO', 'SPEC' || i, 'passport', 'stolen', date '2026-01-01' + i % 300, E'a "remark", of\\ntwo lines, Ж'
    FROM generate_series(1, ${rows}) AS i`);
});
afterAll(() => {
  if (reason !== undefined) return;
  asPostgres('pg_ctl', 'stop', '-w', '-m', 'immediate', '-D', at('server/data'));
  rmSync(folder, { recursive: true, force: true });
});

function sql(statement: string): void {
  const server = ['--no-psqlrc', '--host', at('server'), '--username', 'bureau', 'postgres'];
  execFileSync('psql', [...server, '-c', statement]);
}

/** The pipe as it is typed; `query` gives the collection. */
function publish(query: string): Record<string, unknown> {
  const pipe = `set -o pipefail
    psql --no-psqlrc --host "$SERVER" --username bureau postgres -c "copy ($QUERY) to stdout csv header" |
    "$NODE" "$MAIN" edition publish --repository "$REPOSITORY" --authority "$AUTHORITY" --csv - --json`;
  const env = {
    ...process.env,
    SERVER: at('server'),
    QUERY: query,
    NODE: process.execPath,
    MAIN: join(root, 'bin/main.ts'),
    REPOSITORY: at('repository'),
    AUTHORITY: at('authority'),
  };
  return JSON.parse(execFileSync('bash', ['-c', pipe], { env, encoding: 'utf8' })) as Record<string, unknown>;
}

const query = `select id as record, state as issuing_state, number as document_number, kind as document_type,
  loss as kind_of_loss, day as reported_on, 'UTO' as reported_by, remark from sltd order by id`;

test.skipIf(reason !== undefined)(
  'A collection is published straight out of PostgreSQL through psql, and what changes there is the next delta',
  () => {
    expect(publish(query)).toMatchObject({ edition: 1, records: rows, deltaBytes: null });
    sql(`DELETE FROM sltd WHERE id <= 10`);
    sql(`UPDATE sltd SET loss = 'revoked' WHERE id BETWEEN 11 AND 13`);
    const next = publish(query);
    expect(next).toMatchObject({ edition: 2, records: rows - 10, baseServed: false });
    expect(next['deltaBytes']).toBeLessThan(500);
  },
);
