import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Registry } from '#contracts/registry.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseJson } from '#runtime/parse.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Bureau, faultOf, filesBelow, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { certificateDigest } from './x509.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
});
afterEach(() => bureau.close());

const read = (...names: string[]): string => readFileSync(bureau.at(...names), 'utf8');
const day = 86_400_000;

/** Changes one value in the payload of a signed file and leaves its signatures as they are. */
function tamper(file: string, change: (payload: Record<string, unknown>) => void): void {
  const envelope = JSON.parse(readFileSync(file, 'utf8')) as { payload: string };
  const payload = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as Record<string, unknown>;
  change(payload);
  envelope.payload = Buffer.from(JSON.stringify(payload)).toString('base64');
  writeFileSync(file, JSON.stringify(envelope));
}

describe('the way of a terminal into the fleet', () => {
  test('bundle, request, answer and installation leave a configuration, keys and a registered certificate', async () => {
    const { code, terminal } = await bureau.bundle();
    expect(valueOf(await bureau.enrol(code))).toMatchObject({ state: 'requested', terminal: 'UTO-0001-1' });
    expect(valueOf(await bureau.sign())).toMatchObject({ terminal, repeated: false });
    expect(valueOf(await bureau.enrol())).toMatchObject({ state: 'enrolled', terminal, repeated: false });

    const settings = valueOf(loadSettings(AgentSettings, bureau.at('terminal', 'agent.json')));
    expect(settings).toMatchObject({ terminal, bureau: 'UTO', site: 'UTO-0001', state: bureau.at('terminal', 'data') });
    expect(existsSync(settings.tls.key)).toBe(true);
    const secrets = ['fingerprint', 'audit-digest', 'seal', 'audit-seal'].map((name) => read('terminal', 'keys', `${name}.json`));
    expect(new Set(secrets).size).toBe(4);
    expect(JSON.parse(secrets[0] ?? '')).toEqual(JSON.parse(read('authority', 'keys', 'fingerprint.json')));
    expect(JSON.parse(read('terminal', 'keys', 'trusted.json'))).toEqual(JSON.parse(read('authority', 'trusted.json')));
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

    const hex = ['fingerprint', 'audit-digest'].map((name) => secretIn(read('authority', 'keys', `${name}.json`)));
    hex.push(...['seal', 'audit-seal'].map((name) => secretIn(read('terminal', 'keys', `${name}.json`))));
    const pems = [read('terminal', 'tls', 'key.pem'), pending['wrappingKey'] ?? ''];
    pems.push(...[...filesBelow(bureau.at('authority', 'keys'))].filter(([name]) => name.endsWith('.pem')).map(([, bytes]) => bytes.toString()));
    const secrets = [code, code.replaceAll('-', ''), ...hex, ...pems.map(bodyOf)].flatMap((secret) => [
      Buffer.from(secret),
      ...[0, 1, 2].map((shift) => base64Core(secret, shift)),
    ]);
    secrets.push(...hex.map((secret) => Buffer.from(secret, 'hex')));
    secrets.push(...pems.map((pem) => Buffer.from(bodyOf(pem), 'base64')));
    expect(secrets.length).toBeGreaterThan(60);
    const all = steps.map((files) => Buffer.concat([...files.values()].flatMap((bytes) => [bytes, ...unfolded(bytes)])));
    // The search finds what is there: the terminal's id, inside the envelopes too.
    expect(all.every((bytes) => bytes.includes(base64Core('"terminal":"UTO-0001-1"', 0)) || bytes.includes('UTO-0001-1'))).toBe(true);
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

describe('what is refused', () => {
  test('a wrong code makes no request, and the right one still does', async () => {
    const { code } = await bureau.bundle();
    const other = code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
    expect(faultOf(await bureau.enrol(other))).toBe('CODE_WRONG');
    expect(faultOf(await bureau.enrol('not a code'))).toBe('CODE_WRONG');
    expect(existsSync(bureau.at('stick', 'request.json'))).toBe(false);
    expect(existsSync(bureau.at('terminal'))).toBe(false);
    expect(faultOf(await bureau.enrol(code.toLowerCase().replaceAll('-', ' ')))).toBeUndefined();
  });

  test.each([
    ['the centre’s address', (bundle: Record<string, unknown>) => (bundle['centre'] = { central: 'https://elsewhere', fleet: 'mqtts://elsewhere' })],
    ['the authority', (bundle: Record<string, unknown>) => (bundle['authority'] = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
    ['the trusted keys', (bundle: Record<string, unknown>) => (bundle['trusted'] = [{ id: 'configuration-1', role: 'configuration', publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' }])],
  ])('a bundle in which %s was changed is refused before and after the request', async (_what, change) => {
    const { code } = await bureau.bundle();
    const bundle = bureau.at('stick', 'bundle.json');
    const whole = readFileSync(bundle);
    tamper(bundle, change);
    expect(faultOf(await bureau.enrol(code))).toBe('SIGNATURE_REFUSED');
    expect(existsSync(bureau.at('terminal'))).toBe(false);
    writeFileSync(bundle, whole);
    valueOf(await bureau.enrol(code));
    valueOf(await bureau.sign());
    tamper(bundle, change);
    expect(faultOf(await bureau.enrol())).toBe('SIGNATURE_REFUSED');
    expect(existsSync(bureau.at('terminal', 'agent.json'))).toBe(false);
  });

  test('a bundle that another authority signed under the same token is refused by the code', async () => {
    const { code } = await bureau.bundle();
    const forger = await makeBureau();
    try {
      await forger.bundle();
      writeFileSync(bureau.at('stick', 'bundle.json'), readFileSync(forger.at('stick', 'bundle.json')));
      expect(faultOf(await bureau.enrol(code))).toBe('CODE_WRONG');
    } finally {
      forger.close();
    }
  });

  test.each(['', '{', 'null', '[]', '{"payload":"","payloadType":"x","signatures":[]}', '\u0000'.repeat(100)])(
    'a stick whose files hold %j is refused with a clear code and changes nothing',
    async (text) => {
      const { code } = await bureau.bundle();
      const bundle = bureau.at('stick', 'bundle.json');
      const whole = readFileSync(bundle);
      writeFileSync(bundle, text);
      expect(faultOf(await bureau.enrol(code))).toBe('BUNDLE_INVALID');
      writeFileSync(bundle, whole);
      valueOf(await bureau.enrol(code));
      const request = readFileSync(bureau.at('stick', 'request.json'));
      writeFileSync(bureau.at('stick', 'request.json'), text);
      expect(faultOf(await bureau.sign())).toBe('REQUEST_INVALID');
      writeFileSync(bureau.at('stick', 'request.json'), request);
      valueOf(await bureau.sign());
      writeFileSync(bureau.at('stick', 'answer.json'), text);
      expect(faultOf(await bureau.enrol())).toBe('ENVELOPE_INVALID');
      expect(existsSync(bureau.at('terminal', 'agent.json'))).toBe(false);
    },
  );

  test('an altered answer is refused, and the true one is still taken after it', async () => {
    const { code } = await bureau.bundle();
    valueOf(await bureau.enrol(code));
    valueOf(await bureau.sign());
    tamper(bureau.at('stick', 'answer.json'), (answer) => (answer['issuedAt'] = '2020-01-01T00:00:00.000Z'));
    expect(faultOf(await bureau.enrol())).toBe('SIGNATURE_REFUSED');
    expect(existsSync(bureau.at('terminal', 'agent.json'))).toBe(false);
    expect(valueOf(await bureau.sign()).repeated).toBe(true);
    expect(valueOf(await bureau.enrol()).state).toBe('enrolled');
  });

  test('the answer to the request of another terminal is refused', async () => {
    const one = await bureau.bundle({ terminal: 1, stick: 'one' });
    const two = await bureau.bundle({ terminal: 2, stick: 'two' });
    valueOf(await bureau.enrol(one.code, { stick: 'one', state: 'a' }));
    valueOf(await bureau.enrol(two.code, { stick: 'two', state: 'b' }));
    valueOf(await bureau.sign('two'));
    writeFileSync(bureau.at('one', 'answer.json'), readFileSync(bureau.at('two', 'answer.json')));
    expect(faultOf(await bureau.enrol(undefined, { stick: 'one', state: 'a' }))).toBe('REQUEST_FOREIGN');
    expect(existsSync(bureau.at('a', 'agent.json'))).toBe(false);
  });

  test('an altered request, and one of another authority’s bundle, is not signed', async () => {
    const { code } = await bureau.bundle();
    valueOf(await bureau.enrol(code));
    const other = await makeBureau();
    try {
      await other.bundle();
      writeFileSync(other.at('stick', 'request.json'), readFileSync(bureau.at('stick', 'request.json')));
      expect(faultOf(await other.sign())).toBe('REQUEST_FOREIGN');
    } finally {
      other.close();
    }
    tamper(bureau.at('stick', 'request.json'), (request) => (request['terminal'] = 'UTO-0001-2'));
    expect(faultOf(await bureau.sign())).toBe('SIGNATURE_REFUSED');
    expect(read('authority', 'registry.json')).not.toContain('UTO-0001-1');
  });

  test('an expired token is not signed, a minute earlier it is', async () => {
    const { code } = await bureau.bundle();
    valueOf(await bureau.enrol(code));
    await bureau.clock.advance(14 * day + 1);
    expect(faultOf(await bureau.sign())).toBe('TOKEN_EXPIRED');
    bureau.clock.setWall(new Date(bureau.clock.wall() - 60_000).toISOString());
    expect(valueOf(await bureau.sign()).repeated).toBe(false);
  });

  test('a newer bundle for the same terminal makes the older one void', async () => {
    const { code } = await bureau.bundle({ stick: 'old' });
    valueOf(await bureau.enrol(code, { stick: 'old' }));
    await bureau.bundle();
    expect(faultOf(await bureau.sign('old'))).toBe('TOKEN_EXPIRED');
  });

  test('a second request on a used token is refused, the same request gets the same answer again', async () => {
    const { code } = await bureau.bundle();
    valueOf(await bureau.enrol(code));
    valueOf(await bureau.sign());
    const answer = read('stick', 'answer.json');
    rmSync(bureau.at('stick', 'answer.json'));
    valueOf(await bureau.enrol(code, { state: 'thief' }));
    expect(faultOf(await bureau.sign())).toBe('TOKEN_USED');
    // The terminal's own request is put back onto the stick by the same command.
    valueOf(await bureau.enrol());
    expect(valueOf(await bureau.sign()).repeated).toBe(true);
    expect(read('stick', 'answer.json')).toBe(answer);
  });

  test('a machine that is another terminal refuses the bundle', async () => {
    await bureau.enrolled();
    const { code } = await bureau.bundle({ terminal: 2 });
    const before = filesBelow(bureau.at('terminal-1'));
    expect(faultOf(await bureau.enrol(code, { state: 'terminal-1' }))).toBe('TERMINAL_FOREIGN');
    expect(filesBelow(bureau.at('terminal-1'))).toEqual(before);
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
