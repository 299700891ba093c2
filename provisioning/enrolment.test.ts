import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Registry } from '#contracts/registry.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseJson } from '#runtime/parse.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Bureau, filesBelow, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { certificateDigest } from './x509.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
});
afterEach(() => bureau.close());

const read = (...names: string[]): string => readFileSync(bureau.at(...names), 'utf8');

describe('the way of a terminal into the fleet', () => {
  test('bundle, request, answer and installation leave a configuration, keys and a registered certificate', async () => {
    const { code, terminal } = await bureau.bundle();
    expect(valueOf(await bureau.enrol(code))).toMatchObject({ state: 'requested', terminal: 'UTO-0001-1' });
    expect(valueOf(await bureau.sign())).toMatchObject({ terminal, repeated: false });
    expect(valueOf(await bureau.enrol())).toMatchObject({ state: 'enrolled', terminal, repeated: false });

    const settings = valueOf(loadSettings(AgentSettings, bureau.at('terminal', 'agent.json')));
    expect(settings).toMatchObject({
      terminal,
      bureau: 'UTO',
      site: 'UTO-0001',
      state: bureau.at('terminal', 'data'),
    });
    expect(existsSync(settings.tls.key)).toBe(true);
    const secrets = ['fingerprint', 'audit-digest', 'seal', 'audit-seal'].map((name) =>
      read('terminal', 'keys', `${name}.json`),
    );
    expect(new Set(secrets).size).toBe(4);
    expect(JSON.parse(secrets[0] ?? '')).toEqual(JSON.parse(read('authority', 'keys', 'fingerprint.json')));
    expect(JSON.parse(read('terminal', 'keys', 'trusted.json'))).toEqual(
      JSON.parse(read('authority', 'trusted.json')),
    );
    const registry = valueOf(parseJson(Registry, read('authority', 'registry.json'), 'REQUEST_INVALID'));
    expect(registry.terminals).toMatchObject([
      { terminal, certificate: certificateDigest(read('terminal', 'tls', 'certificate.pem')) },
    ]);
  });

  test('nobody but the owner may read what the terminal and the authority keep', async () => {
    await bureau.enrolled();
    for (const folder of ['authority', 'terminal-1']) {
      expect(statSync(bureau.at(folder)).mode & 0o077).toBe(0);
      for (const name of filesBelow(bureau.at(folder)).keys()) {
        expect(statSync(bureau.at(folder, name)).mode & 0o077, name).toBe(0);
      }
    }
  });

  test('no secret lies on the stick, whatever step it was taken from', async () => {
    const { code } = await bureau.bundle();
    const steps = [filesBelow(bureau.at('stick'))];
    valueOf(await bureau.enrol(code));
    steps.push(filesBelow(bureau.at('stick')));
    const pending = JSON.parse(read('terminal', 'enrolment', 'pending.json')) as Record<string, string>;
    valueOf(await bureau.sign());
    steps.push(filesBelow(bureau.at('stick')));
    valueOf(await bureau.enrol());

    const hex = ['fingerprint', 'audit-digest'].map((name) =>
      secretIn(read('authority', 'keys', `${name}.json`)),
    );
    hex.push(...['seal', 'audit-seal'].map((name) => secretIn(read('terminal', 'keys', `${name}.json`))));
    const pems = [read('terminal', 'tls', 'key.pem'), pending['wrappingKey'] ?? ''];
    pems.push(
      ...[...filesBelow(bureau.at('authority', 'keys'))]
        .filter(([name]) => name.endsWith('.pem'))
        .map(([, bytes]) => bytes.toString()),
    );
    const secrets = [code, code.replaceAll('-', ''), ...hex, ...pems.map(bodyOf)].flatMap((secret) => [
      Buffer.from(secret),
      ...[0, 1, 2].map((shift) => base64Core(secret, shift)),
    ]);
    secrets.push(...hex.map((secret) => Buffer.from(secret, 'hex')));
    secrets.push(...pems.map((pem) => Buffer.from(bodyOf(pem), 'base64')));
    expect(secrets.length).toBeGreaterThan(60);
    const all = steps.map((files) =>
      Buffer.concat([...files.values()].flatMap((bytes) => [bytes, ...unfolded(bytes)])),
    );
    // The search finds what is there: the terminal's id, inside the envelopes too.
    expect(
      all.every(
        (bytes) => bytes.includes(base64Core('"terminal":"UTO-0001-1"', 0)) || bytes.includes('UTO-0001-1'),
      ),
    ).toBe(true);
    for (const bytes of all) expect(secrets.filter((secret) => bytes.includes(secret))).toEqual([]);
    expect(existsSync(bureau.at('terminal', 'enrolment', 'pending.json'))).toBe(false);
  });

  test('a terminal that is enrolled anew keeps its seals and its settings, and its old certificate is revoked', async () => {
    await bureau.enrolled();
    const names = { stick: 'stick-new', state: 'terminal-1' };
    const config = bureau.at('terminal-1', 'agent.json');
    const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
    writeFileSync(config, JSON.stringify({ ...settings, officer: { port: 8701 } }));
    const before = filesBelow(bureau.at('terminal-1'));
    const list = read('authority', 'revoked.pem');
    const { code } = await bureau.bundle({ stick: names.stick });
    valueOf(await bureau.enrol(code, names));
    valueOf(await bureau.sign(names.stick));
    valueOf(await bureau.enrol(undefined, names));
    const after = filesBelow(bureau.at('terminal-1'));
    expect(after.get('keys/seal.json')).toEqual(before.get('keys/seal.json'));
    expect(after.get('keys/audit-seal.json')).toEqual(before.get('keys/audit-seal.json'));
    expect(after.get('tls/key.pem')).not.toEqual(before.get('tls/key.pem'));
    expect(valueOf(loadSettings(AgentSettings, config)).officer.port).toBe(8701);
    expect(read('authority', 'revoked.pem')).not.toBe(list);
  });
});

test('each step can be run again at any time and changes nothing that stands', async () => {
  const { code } = await bureau.bundle();
  valueOf(await bureau.enrol(code));
  const requested = [filesBelow(bureau.at('stick')), filesBelow(bureau.at('terminal'))];
  expect(valueOf(await bureau.enrol())).toMatchObject({ state: 'requested', repeated: true });
  expect([filesBelow(bureau.at('stick')), filesBelow(bureau.at('terminal'))]).toEqual(requested);
  rmSync(bureau.at('stick', 'request.json'));
  expect(valueOf(await bureau.enrol())).toMatchObject({ state: 'requested', repeated: false });
  expect(filesBelow(bureau.at('stick'))).toEqual(requested[0]);
  valueOf(await bureau.sign());
  valueOf(await bureau.enrol());
  const installed = filesBelow(bureau.at('terminal'));
  expect(valueOf(await bureau.enrol())).toMatchObject({ state: 'enrolled', repeated: true });
  expect(filesBelow(bureau.at('terminal'))).toEqual(installed);
});

function secretIn(text: string): string {
  return (JSON.parse(text) as { secret: string }).secret;
}

/** The base 64 of a PEM text. */
function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/** What a text looks like within a longer base 64, where it begins at the given one of three places. */
function base64Core(text: string, shift: number): Buffer {
  const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64');
  return Buffer.from(encoded.slice(shift === 0 ? 0 : shift + 1, -4));
}

/** The payload of a signed file as it is. */
function unfolded(bytes: Buffer): Buffer[] {
  try {
    return [Buffer.from((JSON.parse(bytes.toString()) as { payload: string }).payload, 'base64')];
  } catch {
    return [];
  }
}
