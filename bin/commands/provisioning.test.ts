import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, execute } from '../command.ts';
import { command as authority } from './authority.ts';
import { command as enrol } from './enrol.ts';
import { command as site } from './site.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-commands-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

interface Run {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  command: Command,
  argv: readonly string[],
  typed = '',
  env: Record<string, string> = {},
): Promise<Run> {
  let [out, err] = ['', ''];
  const exit = await execute(command, argv, {
    stdin: new PassThrough().end(typed),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env,
    signal: new AbortController().signal,
  });
  return { exit, out, err };
}

const passphrase = 'a specimen of a passphrase';

describe('authority, site and enrol from the command line', () => {
  test('the whole way works with a passphrase from the environment and from a file, and the code typed', async () => {
    const env = { SECRET: passphrase };
    writeFileSync(at('passphrase'), `${passphrase}\n`);
    const dir = ['--dir', at('authority')];
    const urls = ['--central-url', 'https://localhost:8443', '--fleet-url', 'mqtts://localhost:8883'];
    const init = ['init', ...dir, '--bureau', 'UTO', '--passphrase-env', 'SECRET', ...urls];
    expect((await run(authority, init, '', env)).exit).toBe(0);
    expect(
      (
        await run(site, [
          'add',
          ...dir,
          '--id',
          'UTO-0001',
          '--name',
          'Specimen',
          '--latitude=-1',
          '--longitude',
          '2',
        ])
      ).exit,
    ).toBe(0);
    const made = await run(site, [
      'bundle',
      'UTO-0001',
      ...dir,
      '--out',
      at('stick'),
      '--json',
      '--passphrase-file',
      at('passphrase'),
    ]);
    const { code, terminal } = JSON.parse(made.out) as { code: string; terminal: string };
    expect(terminal).toBe('UTO-0001-1');
    const argv = [at('stick'), '--state', at('terminal'), '--json'];
    expect(JSON.parse((await run(enrol, argv, `${code}\n`)).out)).toMatchObject({
      state: 'requested',
      repeated: false,
    });
    // Without the option the passphrase is read from standard input.
    expect(
      (await run(authority, ['sign', at('stick'), ...dir, '--code', code], `${passphrase}\n`)).exit,
    ).toBe(0);
    expect(JSON.parse((await run(enrol, argv)).out)).toMatchObject({
      state: 'enrolled',
      config: at('terminal/agent.json'),
    });
    const listed = await run(site, ['list', ...dir]);
    expect(listed.out).toContain('UTO-0001-1  enrolled since ');
  });

  test('a code that does not belong to the request is refused at signing', async () => {
    const dir = ['--dir', at('authority')];
    await run(authority, ['init', ...dir, '--bureau', 'UTO', '--no-passphrase']);
    await run(site, ['add', ...dir, '--id', 'UTO-0001', '--name', 'Specimen']);
    const urls = ['--central-url', 'https://localhost', '--fleet-url', 'mqtts://localhost'];
    const made = await run(site, ['bundle', 'UTO-0001', ...dir, '--out', at('stick'), '--json', ...urls]);
    const { code } = JSON.parse(made.out) as { code: string };
    expect((await run(enrol, [at('stick'), '--state', at('terminal'), '--code', code])).exit).toBe(0);
    const signed = await run(authority, [
      'sign',
      at('stick'),
      ...dir,
      '--json',
      '--code',
      '0000-0000-0000-0000-0000',
    ]);
    expect(signed.exit).toBe(1);
    expect(JSON.parse(signed.out)).toMatchObject({ error: { code: 'CODE_WRONG' } });
    expect(existsSync(at('stick/answer.json'))).toBe(false);
  });

  test('a reader goes with the profile of its site; one that nobody has is refused here, not at the post', async () => {
    const dir = ['--dir', at('authority')];
    await run(authority, ['init', ...dir, '--bureau', 'UTO', '--no-passphrase']);
    await run(site, ['add', ...dir, '--id', 'UTO-0001', '--name', 'Specimen']);
    const profile = {
      name: 'ours',
      family: 'swipe',
      title: 'Ours',
      link: { kind: 'serial', baudRate: 19_200 },
      framing: { kind: 'lines', blockCheck: 'text' },
      protocol: { kind: 'listen' },
    };
    writeFileSync(at('profiles.json'), JSON.stringify([profile]));
    const bundle = ['bundle', 'UTO-0001', ...dir, '--out', at('stick'), '--json'];
    const urls = ['--central-url', 'https://localhost', '--fleet-url', 'mqtts://localhost'];
    const reader = ['--reader', 'usb:0403:6001:A50285BI,ours'];
    const refused = await run(site, [...bundle, ...urls, ...reader]);
    expect([refused.exit, JSON.parse(refused.out).error.code]).toEqual([1, 'SETTINGS_INVALID']);
    expect(existsSync(at('stick'))).toBe(false);

    const made = await run(site, [...bundle, ...urls, ...reader, '--profiles', at('profiles.json')]);
    const { code } = JSON.parse(made.out) as { code: string };
    const argv = [at('stick'), '--state', at('terminal'), '--code', code];
    await run(enrol, argv);
    await run(authority, ['sign', at('stick'), ...dir, '--code', code]);
    expect((await run(enrol, argv)).exit).toBe(0);
    expect(loadSettings(AgentSettings, at('terminal/agent.json'))).toMatchObject({
      ok: true,
      value: {
        readers: [{ device: 'usb:0403:6001:A50285BI', profile: 'ours', feedback: 'discreet' }],
        profiles: [{ name: 'ours', link: { baudRate: 19_200 }, framing: { blockCheck: 'text' } }],
      },
    });
  });

  test('without a passphrase typed or given there is no authority', async () => {
    const init = ['init', '--dir', at('authority'), '--bureau', 'UTO'];
    expect((await run(authority, init)).exit).toBe(2);
    expect((await run(authority, [...init, '--passphrase-env', 'UNSET'])).err).toContain('UNSET is not set');
    expect(
      (await run(authority, [...init, '--no-passphrase', '--passphrase-env', 'X'], '', { X: passphrase }))
        .exit,
    ).toBe(2);
    expect((await run(authority, [...init, '--passphrase-file', at('absent')])).err).toContain(
      'FILE_REFUSED',
    );
    expect(existsSync(at('authority'))).toBe(false);
  });

  test.each<[Command, string[], string]>([
    [authority, [], 'init, server, broker, sign, revoke'],
    [authority, ['server', '--dir', 'x', '--out', 'y'], '--name is missing'],
    [authority, ['revoke', '--dir', 'x'], 'authority revoke TERMINAL'],
    [authority, ['revoke', 'UTO-0001-1', '--dir', 'x', '--port', '1'], 'revoke takes no --port'],
    [
      site,
      ['add', '--dir', 'x', '--id', 'UTO-0001', '--name', 'n', '--terminals', 'two'],
      '--terminals takes a number',
    ],
    [site, ['remove', '--dir', 'x'], 'add, list, show, bundle'],
    [enrol, ['stick'], 'enrol STICK --state DIR'],
  ])('called wrongly, %# says what is missing and ends with 2', async (command, argv, words) => {
    const { exit, err } = await run(command, argv);
    expect(exit).toBe(2);
    expect(err).toContain(words);
  });

  test.each([authority, site, enrol])('--help names every option: $summary', async (command) => {
    const { out } = await run(command, ['--help']);
    for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
    expect(out).toContain('Exit codes:');
  });
});
