import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { seal, unseal, unwrap, wrap } from './sealed.ts';

const key = createSecretKey(randomBytes(32));

describe('A sealed value', () => {
  test('opens in its place with its key', () => {
    expect(unseal(key, 'here', seal(key, 'here', Buffer.from('x')))).toEqual({
      ok: true,
      value: Buffer.from('x'),
    });
  });

  test('moved to another place, opened with another key, changed in any byte or cut short, does not open', () => {
    const sealed = seal(key, 'here', Buffer.from('something'));
    expect(unseal(key, 'there', sealed).ok).toBe(false);
    expect(unseal(createSecretKey(randomBytes(32)), 'here', sealed).ok).toBe(false);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(unseal(key, 'here', changed)).toMatchObject({ ok: false, fault: { code: 'SEAL_BROKEN' } });
      expect(unseal(key, 'here', sealed.subarray(0, at)).ok).toBe(false);
    }
  });

  test('is different each time, and holds nothing in clear', () => {
    const plain = Buffer.from('L898902C3');
    const [one, other] = [seal(key, 'here', plain), seal(key, 'here', plain)];
    expect(one.equals(other)).toBe(false);
    expect(one.includes(plain)).toBe(false);
  });
});

describe('A wrapped secret', () => {
  const own = generateKeyPairSync('x25519');
  test('opens for its terminal and its purpose alone', () => {
    const wrapped = wrap(own.publicKey, 'enrolment', Buffer.from('secret'));
    expect(unwrap(own.privateKey, 'enrolment', wrapped)).toEqual({ ok: true, value: Buffer.from('secret') });
    expect(unwrap(own.privateKey, 'other', wrapped).ok).toBe(false);
    expect(unwrap(generateKeyPairSync('x25519').privateKey, 'enrolment', wrapped).ok).toBe(false);
    expect(unwrap(own.privateKey, 'enrolment', { ...wrapped, ephemeral: 'AAAA' })).toMatchObject({
      ok: false,
      fault: { code: 'SEAL_BROKEN' },
    });
  });
});
