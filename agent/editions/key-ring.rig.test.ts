import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NamedSecret } from '#formats/keyed.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { KeyGiver } from '#test/rigs/edition-keys.ts';
import { keyOf, recordOf, TestRepository } from '#test/rigs/edition-repository.ts';
import { startEditionServer } from '#test/rigs/edition-server.ts';
import { openTerminal, stickOf } from '#test/rigs/edition-terminal.ts';
import { Budget } from './budget.ts';
import { centralRepository } from './central-repository.ts';
import { type EditionEvent, type Editions, HttpsEditionTransport, openKeyRing } from './index.ts';

let folder: string;
let repository: TestRepository;
let giver: KeyGiver;
let terminal: Editions;
let events: EditionEvent[];
const at = (...names: string[]): string => join(folder, ...names);
const keyNumber = (number: number): NamedSecret => {
  return { id: String(number), key: createSecretKey(Buffer.alloc(32, number)) };
};
const [first, second, third] = [keyNumber(1), keyNumber(2), keyNumber(3)];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-key-ring-'));
  repository = new TestRepository(at('repository'));
  repository.secret = first;
  giver = new KeyGiver();
  events = [];
  await repository.publish([recordOf('A1'), recordOf('A2')]);
  await open();
  await renew();
  expect(said()).toEqual([1, '1', true, true, false]);
  // The bureau has a new key, and has published with it.
  repository.secret = second;
  await repository.publish([recordOf('A1'), recordOf('B1')]);
});
afterEach(async () => {
  await terminal.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(keys: Partial<KeyGiver['terminalKeys']> = {}): Promise<void> {
  await (terminal as Editions | undefined)?.close();
  terminal = await openTerminal(
    at('terminal'),
    { root: repository.root, secret: first },
    { now: () => repository.now, events, keys: { ...giver.terminalKeys, ...keys } },
  );
}
const renew = (): Promise<void> => terminal.renew(stickOf(at('repository'), at('terminal')));
const hand = (...order: Parameters<KeyGiver['file']>): void =>
  giver.put(at('repository'), giver.file(...order));

/** Edition and key in use, and whether A1, A2 and B1 are recorded in it. */
function said(): unknown[] {
  const current = terminal.current();
  const { version, fingerprintKey } = current?.describe() ?? {};
  const finds = ['A1', 'A2', 'B1'].map((number) => {
    const found = current?.search(keyOf(number));
    return found?.ok === true ? found.value.length > 0 : undefined;
  });
  return [version, fingerprintKey, ...finds];
}

const oldOne = [1, '1', true, true, false];
const newOne = [2, '2', true, false, true];

describe('the next fingerprint key', () => {
  test('comes from the repository before the base that it opens, and is there after a restart', async () => {
    hand([second, first]);
    await renew();
    expect(said()).toEqual(newOne);
    expect(statSync(at('terminal', 'fingerprint-keys.json')).mode & 0o777).toBe(0o600);
    // The repository is not asked again, and what was published before the key changed leads nowhere any more.
    rmSync(at('repository', 'keys'), { recursive: true });
    await open();
    expect(said()).toEqual(newOne);
    await repository.publish([recordOf('A1'), recordOf('B1'), recordOf('A2')]);
    await renew();
    expect(said()).toEqual([3, '2', true, true, true]);
    expect(events.filter(({ kind }) => kind === 'edition-refused')).toEqual([]);
  });

  test('comes on a stick as well', async () => {
    hand([second]);
    await repository.stick(at('stick'));
    await terminal.renew(stickOf(at('stick'), at('terminal')));
    expect(said()).toEqual(newOne);
  });

  test('comes to a terminal that has missed one before it, and again with the next', async () => {
    repository.secret = third;
    await repository.publish([recordOf('A1'), recordOf('B1')]);
    hand([third, second]);
    await renew();
    expect(said()).toEqual([3, '3', true, false, true]);
    repository.secret = keyNumber(4);
    await repository.publish([recordOf('A2')]);
    hand([keyNumber(4), third]);
    await renew();
    expect(said()).toEqual([4, '4', false, true, false]);
  });

  test('is needed by look-ups of the new edition alone: those of the old one go on with the old', async () => {
    hand([second]);
    const progress = { done: false };
    const renewed = renew().then(() => (progress.done = true));
    const seen = new Set<string>();
    while (!progress.done) {
      seen.add(JSON.stringify(said()));
      await new Promise((resume) => setImmediate(resume));
    }
    await renewed;
    seen.add(JSON.stringify(said()));
    expect([...seen]).toEqual([JSON.stringify(oldOne), JSON.stringify(newOne)]);
  });

  test('that is held is not replaced by one of the same id: a file that is played back takes nothing away', async () => {
    hand([second, { id: '1', key: createSecretKey(Buffer.alloc(32, 99)) }]);
    await renew();
    expect(said()).toEqual(newOne);
    const kept = readFileSync(at('terminal', 'fingerprint-keys.json'), 'utf8');
    expect(kept).not.toContain('63'.repeat(32));
  });
});

describe('without a key that this terminal may believe and can open', () => {
  const another = generateKeyPairSync('x25519').publicKey;
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const put = (text: string) => (): void => giver.put(at('repository'), text);

  test.each<[string, () => void, string]>([
    ['there is no file', () => {}, 'There is none'],
    [
      'the file is another terminal’s',
      () => hand([second], { terminal: 'UTO-0001-2' }),
      'made for UTO-0001-2',
    ],
    ['it is wrapped to another key', () => hand([second], { recipient: another }), 'another key than'],
    ['it is signed by somebody else', () => hand([second], { signer: stranger }), 'None of its signatures'],
    ['it is signed as something else', () => hand([second], { payloadType: 'x' }), 'It is a x'],
    ['it holds older keys only', () => hand([first]), 'does not hold it'],
    ['it says another id than it holds', () => hand([first], { id: '2' }), 'another id'],
    ['it is cut off', () => put(giver.file([second]).slice(0, -20))(), 'not JSON'],
    ['it is empty', put(''), 'not JSON'],
    ['it is very long', put(' '.repeat(20_000)), 'longer than'],
    ['it is JSON of another kind', put('[]'), 'no type, payload and signatures'],
  ])(
    'since %s, the new edition is refused in words that help, and the one in use stays',
    async (_, prepare, why) => {
      prepare();
      const before = readdirSync(at('terminal', 'downloads'));
      await renew();
      await renew();
      expect(said()).toEqual(oldOne);
      expect(events.slice(1)).toMatchObject([
        { kind: 'edition-refused', fault: { code: 'EDITION_FOREIGN' } },
      ]);
      const { refused } = terminal.state();
      expect(refused?.detail).toContain(why);
      expect(refused?.detail).toContain('fingerprint key 2');
      expect(refused?.detail).toContain('rotate-fingerprint --again');
      // Nothing of the base has been fetched for nothing, and nothing was kept.
      expect(readdirSync(at('terminal', 'downloads'))).toEqual(before);
      expect(existsSync(at('terminal', 'fingerprint-keys.json'))).toBe(false);
      hand([second, first]);
      await renew();
      expect([said(), terminal.state().refused]).toEqual([newOne, undefined]);
    },
  );

  test('a terminal of an older release says that it must be enrolled again', async () => {
    await open({ wrapping: undefined });
    hand([second]);
    await renew();
    expect(said()).toEqual(oldOne);
    expect(terminal.state().refused).toMatchObject({
      code: 'EDITION_FOREIGN',
      detail: expect.stringContaining('enrol it again'),
    });
  });

  test('a damaged file of keys that had come costs that they come again', async () => {
    hand([second]);
    await renew();
    await terminal.close();
    writeFileSync(at('terminal', 'fingerprint-keys.json'), '{"v":1,');
    await open();
    await renew();
    expect(said()).toEqual(newOne);
  });
});

test('Over the line, a key comes in one small answer; what the centre does not have is no key; a broken line is no refusal', async () => {
  const server = await startEditionServer();
  const transport = new HttpsEditionTransport({
    url: server.url,
    tls: { authority: server.authority, certificate: server.terminal.certificate, key: server.terminal.key },
    clock: systemClock,
  });
  try {
    const centre = centralRepository({
      transport,
      downloads: at('downloads'),
      budget: new Budget(systemClock, 0),
    });
    mkdirSync(at('other'));
    const ring = await openKeyRing({
      ...giver.terminalKeys,
      folder: at('other'),
      enrolled: [first],
      log: silentLog,
    });
    const { signal } = new AbortController();
    expect(await ring.obtain('1', centre, signal)).toMatchObject({ ok: true });
    expect(server.asked).toEqual([]);
    expect(await ring.obtain('2', centre, signal)).toMatchObject({ fault: { code: 'EDITION_FOREIGN' } });
    server.files.set('keys/UTO-0001-1.json', Buffer.from(giver.file([second])));
    const well = server.answer;
    server.answer = (request) => void request.socket.destroy();
    expect(await ring.obtain('2', centre, signal)).toMatchObject({ fault: { code: 'EDITION_UNREACHABLE' } });
    server.answer = well;
    expect(await ring.obtain('2', centre, signal)).toMatchObject({ ok: true });
    expect(ring.secrets().map(({ id }) => id)).toEqual(['1', '2']);
    expect(server.asked.every((path) => path === 'keys/UTO-0001-1.json')).toBe(true);
  } finally {
    transport.close();
    await server.close();
  }
});
