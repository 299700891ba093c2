import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Bureau, faultOf, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { type AgentKeys, readAgentKeys } from './keys.ts';

let bureau: Bureau;
let keys: string;
beforeEach(async () => {
  bureau = await makeBureau();
  keys = join(await bureau.enrolled(), 'keys');
});
afterEach(() => bureau.close());

function read(): ReturnType<typeof readAgentKeys> {
  return readAgentKeys(valueOf(loadSettings(AgentSettings, join(keys, '..', 'agent.json'))));
}
const ids = ({ fingerprints }: AgentKeys): string[] => fingerprints.map(({ id }) => id);

test('A terminal that was enrolled has the bureau’s fingerprint key and a key that later ones are wrapped to', () => {
  const { wrapping, ...all } = valueOf(read());
  expect([ids({ wrapping, ...all }), wrapping?.asymmetricKeyType]).toEqual([['1'], 'x25519']);
});

test('A terminal that an older release enrolled has no such key, and starts all the same', () => {
  rmSync(join(keys, 'wrapping.pem'));
  expect(valueOf(read()).wrapping).toBeUndefined();
});

test('A terminal that was enrolled between a new key and its first edition holds the key before as well', () => {
  const before = readFileSync(join(keys, 'fingerprint.json'), 'utf8');
  writeFileSync(join(keys, 'fingerprint-before.json'), before);
  writeFileSync(join(keys, 'fingerprint.json'), before.replace('"1"', '"2"'));
  expect(ids(valueOf(read()))).toEqual(['2', '1']);
});

test.each([
  ['wrapping.pem', 'no key'],
  ['fingerprint-before.json', '{"id":"1"}'],
  ['fingerprint.json', '{}'],
])('A damaged %s is named, and nothing of what is in it', (name, text) => {
  writeFileSync(join(keys, name), text);
  const result = read();
  expect(faultOf(result)).toBe('CREDENTIAL_UNREADABLE');
  expect(!result.ok && result.fault.detail).toContain(name);
});
