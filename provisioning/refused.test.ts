import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bureau, faultOf, filesBelow, makeBureau, valueOf } from '#test/rigs/bureau.ts';

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

describe('what enrolment refuses', () => {
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
    [
      'the centre’s address',
      (bundle: Record<string, unknown>) =>
        (bundle['centre'] = { central: 'https://elsewhere', fleet: 'mqtts://elsewhere' }),
    ],
    [
      'the authority',
      (bundle: Record<string, unknown>) =>
        (bundle['authority'] = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    ],
    [
      'the trusted keys',
      (bundle: Record<string, unknown>) =>
        (bundle['trusted'] = [
          {
            id: 'configuration-1',
            role: 'configuration',
            publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
          },
        ]),
    ],
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

  test.each([
    ['nothing', ''],
    ['half a file', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an envelope of another type', '{"payload":"","payloadType":"x","signatures":[]}'],
    ['zeros', '\u0000'.repeat(100)],
  ])('a stick whose files hold %s is refused with a clear code and changes nothing', async (_what, text) => {
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
  });

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
