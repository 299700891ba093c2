import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type EditionEvent,
  type Editions,
  HttpsEditionTransport,
  openEditions,
  openKeyRing,
  workIn,
} from '#agent/editions/index.ts';
import { readAgentKeys } from '#agent/keys.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { loadSettings } from '#runtime/settings.ts';
import { command as authority } from '../../bin/commands/authority.ts';
import { command as edition } from '../../bin/commands/edition.ts';
import { command as enrol } from '../../bin/commands/enrol.ts';
import { command as site } from '../../bin/commands/site.ts';
import { valueOf } from '../rigs/bureau.ts';
import { startEditionCentre } from '../rigs/edition-centre.ts';
import { keyOf } from '../rigs/edition-repository.ts';
import { stickOf, workerFile } from '../rigs/edition-terminal.ts';
import { run } from '../rigs/stack.ts';

/** A bureau changes its fingerprint key with the commands that a person types; its terminals follow, on a stick too. */
const specimens = resolve(import.meta.dirname, '../../central/publisher/specimens.csv');

let folder: string;
const open: Editions[] = [];
const at = (...names: string[]): string => join(folder, ...names);
const dir = (): string[] => ['--dir', at('authority')];
const places = (): string[] => ['--repository', at('repository'), '--authority', at('authority')];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-rotation-'));
  const urls = ['--central-url', 'https://localhost', '--fleet-url', 'mqtts://localhost'];
  await run(authority, ['init', ...dir(), '--bureau', 'UTO', '--no-passphrase', ...urls]);
  const add = ['--id', 'UTO-0001', '--name', 'Specimen crossing', '--terminals', '3'];
  await run(site, ['add', ...dir(), ...add]);
});
afterEach(async () => {
  for (const editions of open.splice(0)) await editions.close();
  rmSync(folder, { recursive: true, force: true });
});

async function enrolled(number: number): Promise<void> {
  const stick = at(`enrol-${number}`);
  const bundle = ['bundle', 'UTO-0001', '--terminal', String(number), ...dir(), '--out', stick, '--json'];
  const { code } = JSON.parse(await run(site, bundle)) as { code: string };
  const argv = [stick, '--state', at(`terminal-${number}`), '--code', code];
  await run(enrol, argv);
  await run(authority, ['sign', stick, ...dir()]);
  await run(enrol, argv);
}

const publish = async (): Promise<unknown> =>
  JSON.parse(await run(edition, ['publish', ...places(), '--csv', specimens, '--json']));
const verify = async (): Promise<unknown> =>
  JSON.parse(await run(edition, ['verify', ...places(), '--json']));
const rotate = async (...more: string[]): Promise<unknown> => {
  const order = ['rotate-fingerprint', ...dir(), '--repository', at('repository'), '--json', ...more];
  return JSON.parse(await run(authority, order));
};

/** The offline copy of a terminal with the keys that its enrolment left, as the agent opens it. */
async function terminal(number: number, events: EditionEvent[] = []): Promise<Editions> {
  const settings = valueOf(loadSettings(AgentSettings, at(`terminal-${number}`, 'agent.json')));
  const keys = valueOf(readAgentKeys(settings));
  const ring = await openKeyRing({
    folder: settings.edition.folder,
    terminal: settings.terminal,
    enrolled: keys.fingerprints,
    trusted: keys.trusted,
    wrapping: keys.wrapping,
    log: silentLog,
  });
  const editions = valueOf(
    await openEditions({
      folder: settings.edition.folder,
      root: keys.editionsRoot,
      secrets: () => ring.secrets(),
      obtainKey: (id, repository, signal) => ring.obtain(id, repository, signal),
      clock: systemClock,
      now: () => systemClock.wall(),
      verified: () => systemClock.wall(),
      log: silentLog,
      work: workIn(workerFile),
      compactAt: { percent: 2, days: 30 },
      report: (event) => events.push(event),
      onChange: () => {},
    }),
  );
  open.push(editions);
  return editions;
}

const renew = (editions: Editions, number: number, from = 'repository'): Promise<void> =>
  editions.renew(stickOf(at(from), at(`terminal-${number}`, 'editions')));

/** Edition and key in use, and whether the specimen and another document are recorded in it. */
function said(editions: Editions): unknown[] {
  const current = editions.current();
  const found = (number: string): unknown => {
    const result = current?.search(keyOf(number));
    return result?.ok === true ? result.value.length : undefined;
  };
  const { version, fingerprintKey } = current?.describe() ?? {};
  return [version, fingerprintKey, found('L898902C3'), found('X0000000X')];
}

test('A bureau rotates its key between two editions: every terminal goes over to the new one by itself', async () => {
  await enrolled(1);
  expect(await publish()).toMatchObject({ edition: 1, fingerprintKey: '1' });
  const [one, events] = [await terminal(1), [] as EditionEvent[]];
  await renew(one, 1);
  expect(said(one)).toEqual([1, '1', 1, 0]);

  expect(await rotate()).toEqual({ key: '2', continued: false, given: ['UTO-0001-1'], without: [] });
  // Until an edition is made with it nothing changes, and whoever is enrolled now can open the edition that there is.
  expect(await verify()).toMatchObject({ edition: 1, fingerprintKey: '1' });
  await enrolled(2);
  const two = await terminal(2, events);
  await renew(two, 2);
  expect(said(two)).toEqual([1, '1', 1, 0]);

  expect(await publish()).toMatchObject({
    edition: 2,
    fingerprintKey: '2',
    deltaBytes: null,
    baseServed: true,
  });
  expect(await verify()).toMatchObject({ edition: 2, fingerprintKey: '2', bases: [2] });
  expect(readdirSync(at('repository', 'keys'))).toEqual(['UTO-0001-1.json']);
  await run(edition, ['stick', '--repository', at('repository'), '--out', at('stick')]);
  await renew(one, 1, 'stick');
  await renew(two, 2);
  expect([said(one), said(two)]).toEqual([
    [2, '2', 1, 0],
    [2, '2', 1, 0],
  ]);
  expect(events.filter(({ kind }) => kind !== 'edition-in-use')).toEqual([]);
  // The second terminal had it from its enrolment; the first keeps what has come.
  expect(existsSync(at('terminal-1', 'editions', 'fingerprint-keys.json'))).toBe(true);
  expect(existsSync(at('terminal-2', 'editions', 'fingerprint-keys.json'))).toBe(false);
  expect(said(await terminal(1))).toEqual([2, '2', 1, 0]);
});

test('A terminal that was revoked, or that the bureau forgot, stays behind and says so; handed out again, the key helps', async () => {
  for (const number of [1, 2]) await enrolled(number);
  await publish();
  const [one, two] = [await terminal(1), await terminal(2)];
  for (const [number, editions] of [one, two].entries()) await renew(editions, number + 1);
  await run(authority, ['revoke', 'UTO-0001-2', ...dir()]);
  await rotate();
  expect(readdirSync(at('repository', 'keys'))).toEqual(['UTO-0001-1.json']);
  renameSync(at('repository', 'keys'), at('forgotten'));
  await publish();
  for (const [number, editions] of [one, two].entries()) {
    await renew(editions, number + 1);
    expect([said(editions), editions.state().refused?.code]).toEqual([[1, '1', 1, 0], 'EDITION_FOREIGN']);
  }
  expect(await rotate('--again')).toMatchObject({ key: '2', given: ['UTO-0001-1'] });
  await renew(one, 1);
  await renew(two, 2);
  expect([said(one), said(two)]).toEqual([
    [2, '2', 1, 0],
    [1, '1', 1, 0],
  ]);
});

test('The keys that were handed out are served by the centre, and what may lie beside them is not', async () => {
  await enrolled(1);
  await publish();
  await rotate();
  const centre = await startEditionCentre({ folder: at('centre'), clock: systemClock });
  const transport = new HttpsEditionTransport({
    url: `https://localhost:${centre.port}`,
    tls: {
      authority: centre.authority.certificate,
      certificate: centre.terminal.certificate,
      key: centre.terminal.key,
    },
    clock: systemClock,
  });
  try {
    cpSync(at('repository', 'keys'), join(centre.repository, 'keys'), { recursive: true });
    for (const name of ['fingerprint.pem', '.UTO-0001-1.json.new', 'lock']) {
      writeFileSync(join(centre.repository, 'keys', name), 'x');
    }
    const served = await transport.fetchSmall('keys/UTO-0001-1.json', 16_384);
    const written = readFileSync(at('repository', 'keys', 'UTO-0001-1.json'));
    expect(served).toMatchObject({ ok: true, value: { bytes: written } });
    for (const path of [
      'keys/UTO-0001-2.json',
      'keys/fingerprint.pem',
      'keys/.UTO-0001-1.json.new',
      'keys/lock',
    ]) {
      expect(await transport.fetchSmall(path, 16_384)).toMatchObject({ ok: true, value: 'absent' });
    }
  } finally {
    transport.close();
    await centre.service.close();
  }
});
