import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openKey } from './key-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-key-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('Where there is no key one is made with mode 0600, nothing else is left, and the next call finds the same', () => {
  const file = join(folder, 'keys/tunnel.key');
  const made = openKey(file);
  expect(made).toMatchObject({ ok: true, value: { file, made: true } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'keys'))).toEqual(['tunnel.key']);
  const found = openKey(file);
  expect(found).toMatchObject({ ok: true, value: { made: false } });
  if (made.ok && found.ok) expect(found.value.publicKey).toBe(made.value.publicKey);
});

test('The public key is the one of the standard’s own example', () => {
  // RFC 7748 section 6.1, Alice's key pair.
  const file = join(folder, 'alice.key');
  const alice = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
  const itsPublicKey = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
  writeFileSync(file, `${Buffer.from(alice, 'hex').toString('base64')}\n`, { mode: 0o600 });
  const read = openKey(file);
  expect(read.ok && Buffer.from(read.value.publicKey, 'base64').toString('hex')).toBe(itsPublicKey);
});

test('A key that others may read is refused, and never replaced', () => {
  const file = join(folder, 'tunnel.key');
  openKey(file);
  const before = readFileSync(file, 'utf8');
  chmodSync(file, 0o640);
  const found = openKey(file);
  expect(found).toMatchObject({ ok: false, fault: { code: 'CREDENTIAL_UNREADABLE' } });
  expect(found.ok ? '' : found.fault.detail).toContain('mode 0640');
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('A file that is no key, or a link to one, is refused without a word of what stands in it', () => {
  const file = join(folder, 'tunnel.key');
  writeFileSync(file, 'an old note\n', { mode: 0o600 });
  const found = openKey(file);
  expect(found).toMatchObject({ ok: false, fault: { code: 'CREDENTIAL_UNREADABLE' } });
  expect(JSON.stringify(found)).not.toContain('old note');
  openKey(join(folder, 'real.key'));
  symlinkSync(join(folder, 'real.key'), join(folder, 'link.key'));
  const linked = openKey(join(folder, 'link.key'));
  expect(linked.ok ? '' : linked.fault.detail).toContain('is a link');
});

test('Where the folder cannot be written, the fault names the file', () => {
  writeFileSync(join(folder, 'plain'), '');
  const found = openKey(join(folder, 'plain/tunnel.key'));
  expect(found.ok ? '' : found.fault.detail).toContain('plain/tunnel.key');
});
