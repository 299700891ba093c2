import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openEnvelope, signEnvelope, type TrustedKey } from './envelope.ts';

const type = 'application/vnd.checkpost.test';
const keys = generateKeyPairSync('ed25519');
const trusted: TrustedKey[] = [{ id: 'k1', role: 'editions', key: keys.publicKey }];
const envelope = signEnvelope(type, Buffer.from('{"a":1}'), { id: 'k1', key: keys.privateKey });
const open = (value: unknown, changes = {}) =>
  openEnvelope(value, { payloadType: type, role: 'editions', trusted, ...changes });

describe('A signed envelope', () => {
  test('opens to its exact bytes, and says who signed', () => {
    const opened = open(JSON.parse(JSON.stringify(envelope)));
    expect(opened).toMatchObject({ ok: true, value: { signedBy: 'k1' } });
    if (opened.ok) expect(opened.value.payload.toString()).toBe('{"a":1}');
  });

  test('signed by a key of another role is refused: a commands key signs no edition', () => {
    expect(open(envelope, { role: 'commands' })).toMatchObject({
      ok: false,
      fault: { code: 'SIGNATURE_REFUSED' },
    });
  });

  test('of another type is refused, also where the signature is good', () => {
    expect(open(envelope, { payloadType: 'other' })).toMatchObject({
      ok: false,
      fault: { code: 'ENVELOPE_INVALID' },
    });
    expect(open({ ...envelope, payloadType: 'other' }, { payloadType: 'other' })).toMatchObject({
      ok: false,
      fault: { code: 'SIGNATURE_REFUSED' },
    });
  });

  test('with any single bit of payload or signature changed is refused', () => {
    const payload = Buffer.from(envelope.payload, 'base64');
    const sig = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const changed = Buffer.from(payload);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open({ ...envelope, payload: changed.toString('base64') }).ok).toBe(false);
    }
    for (let bit = 0; bit < sig.length * 8; bit += 7) {
      const changed = Buffer.from(sig);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open({ ...envelope, signatures: [{ keyid: 'k1', sig: changed.toString('base64') }] }).ok).toBe(
        false,
      );
    }
  });

  test('by a stranger under a trusted name is refused', () => {
    const stranger = generateKeyPairSync('ed25519');
    const forged = signEnvelope(type, Buffer.from('{}'), { id: 'k1', key: stranger.privateKey });
    expect(open(forged).ok).toBe(false);
  });

  test.each([undefined, null, 1, 'x', [], {}, { payloadType: type, payload: '', signatures: [null] }])(
    'that is none (%j) is refused in words',
    (value) => {
      expect(open(value)).toMatchObject({ ok: false, fault: { code: 'ENVELOPE_INVALID' } });
    },
  );
});
