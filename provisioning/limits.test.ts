import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limitsType, SignedLimits } from '#contracts/configuration.ts';
import { openEnvelope, readTrustedKey, type TrustedKeyFile } from '#formats/envelope.ts';
import { signLimits } from '#provisioning/index.ts';
import { parseJson } from '#runtime/parse.ts';
import { type Bureau, faultOf, makeBureau, valueOf } from '#test/rigs/bureau.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
});
afterEach(() => bureau.close());

const order = (more: object = {}) => ({
  ...bureau.authority,
  scope: 'fleet',
  out: bureau.at('limits.json'),
  ...more,
});

/** What a terminal reads out of the file, with the keys that it trusts for limits. */
function read(): SignedLimits {
  const { keys } = JSON.parse(readFileSync(bureau.at('authority', 'trusted.json'), 'utf8')) as {
    keys: TrustedKeyFile[];
  };
  const { payload } = valueOf(
    openEnvelope(JSON.parse(readFileSync(bureau.at('limits.json'), 'utf8')), {
      payloadType: limitsType,
      role: 'configuration',
      trusted: keys.map(readTrustedKey),
    }),
  );
  return valueOf(parseJson(SignedLimits, payload.toString(), 'ENVELOPE_INVALID'));
}

describe('age limits', () => {
  test('are signed with the key of configuration, and each has a higher version than the one before for its scope', async () => {
    expect(valueOf(await signLimits(order({ editionMaxAgeSeconds: 86_400 })))).toMatchObject({ version: 1 });
    expect(read()).toEqual({
      v: 1,
      version: 1,
      scope: { layer: 'fleet' },
      values: { policy: { editionMaxAgeSeconds: 86_400 } },
    });
    valueOf(await signLimits(order({ scope: 'site:UTO-0001', cacheMaxAgeSeconds: 0 })));
    expect(read()).toMatchObject({
      version: 1,
      scope: { layer: 'site', key: 'UTO-0001' },
      values: { policy: { cacheMaxAgeSeconds: 0 } },
    });
    valueOf(await signLimits(order()));
    expect(read()).toMatchObject({ version: 2, values: { policy: {} } });
  });

  test.each([
    ['planet', {}],
    ['site:UTO', {}],
    ['fleet:UTO', {}],
    ['fleet', { editionMaxAgeSeconds: 1 }],
    ['fleet', { editionMaxAgeSeconds: 90_000.5 }],
  ])('for %s with %j are refused, and nothing is written', async (scope, more) => {
    writeFileSync(bureau.at('limits.json'), 'before');
    expect(faultOf(await signLimits(order({ scope, ...more })))).toBe('USAGE');
    expect(readFileSync(bureau.at('limits.json'), 'utf8')).toBe('before');
  });
});
