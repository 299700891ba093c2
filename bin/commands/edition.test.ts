import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../command.ts';
import { command } from './edition.ts';

const specimens = join(import.meta.dirname, '../../central/publisher/specimens.csv');
let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-command-'));
  const pair = generateKeyPairSync('ed25519');
  writeFileSync(at('key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(
    at('trusted.json'),
    JSON.stringify({ keys: [{ id: 'editions-1', role: 'editions', publicKey }] }),
  );
  writeFileSync(at('fingerprint.json'), JSON.stringify({ id: '1', secret: '01'.repeat(32) }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function typed(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const exit = await execute(command, argv, {
    stdin: new PassThrough().end(),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { exit, out, err };
}

const publish = (csv = specimens, ...more: string[]) => {
  const keys = ['--key', at('key.pem'), '--key-id', 'editions-1', '--fingerprint', at('fingerprint.json')];
  return typed('publish', '--csv', csv, ...keys, '--out', at('sltd.edition'), ...more);
};

describe('checkpost edition', () => {
  test('publishes, shows and verifies, for a person and for a machine', async () => {
    expect(await publish()).toMatchObject({ exit: 0, out: expect.stringContaining('20 records') });
    const json = await publish(specimens, '--json');
    const published: unknown = JSON.parse(json.out);
    expect(published).toMatchObject({ collection: 'sltd', count: 20, signedBy: 'editions-1' });
    const shown = await typed('show', at('sltd.edition'), '--trusted', at('trusted.json'), '--json');
    expect(JSON.parse(shown.out)).toEqual(published);
    const keys = ['--trusted', at('trusted.json'), '--fingerprint', at('fingerprint.json')];
    expect(await typed('verify', at('sltd.edition'), ...keys)).toMatchObject({ exit: 0 });
  });

  test('lists what is wrong with a collection and makes nothing', async () => {
    writeFileSync(at('bad.csv'), 'record,issuing_state\nR1,UTO\n');
    const refused = await publish(at('bad.csv'));
    expect(refused.exit).toBe(1);
    expect(refused.err).toContain('COLLECTION_INVALID');
    expect(refused.err).toContain('the column document_number is missing');
    const shown = await typed('show', at('sltd.edition'), '--trusted', at('trusted.json'), '--json');
    expect(shown).toMatchObject({ exit: 1, out: expect.stringContaining('EDITION_ABSENT') });
  });

  test.each([
    [[], 'publish, show FILE or verify FILE'],
    [['publish'], '--csv is missing'],
    [['publish', 'extra'], 'publish, show FILE or verify FILE'],
    [['show', 'x'], '--trusted is missing'],
    [['verify', 'x', '--trusted', 'y'], '--fingerprint is missing'],
    [['publish', '--colour', 'red'], 'colour'],
  ])('called as %j says how to call it', async (argv, words) => {
    const called = await typed(...argv);
    expect(called.exit).toBe(2);
    expect(called.err).toContain(words);
  });
});
