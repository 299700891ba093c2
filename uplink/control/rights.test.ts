import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UplinkRequest, type UplinkVerb } from '#contracts/uplink.ts';
import { callerOf, mayAsk, rights } from './rights.ts';
import { userNumber } from './users.ts';

const verbs = Object.keys(rights) as UplinkVerb[];
const users = { own: 642, agent: 641 };

describe('Who may ask what', () => {
  test('Every verb of the contract stands in the table', () => {
    expect([...verbs].sort()).toEqual(UplinkRequest.anyOf.map((one) => one.properties.verb.const).sort());
  });
  test('Root and the helper’s own user may ask everything', () => {
    for (const uid of [0, 642])
      for (const verb of verbs) expect(mayAsk(callerOf(uid, users), verb)).toBe(true);
  });
  test('The agent may look, probe, bring what is signed and have keys changed, and nothing else', () => {
    expect(verbs.filter((verb) => mayAsk(callerOf(641, users), verb)).sort()).toEqual([
      'apply',
      'probe',
      'rotate',
      'status',
      'watch',
    ]);
  });
  test('Anybody else may ask nothing, not even how it is', () => {
    for (const uid of [1, 640, 65_534, 4_294_967_295, -1, Number.NaN])
      for (const verb of verbs) expect(mayAsk(callerOf(uid, users), verb)).toBe(false);
  });
  test('Where the agent’s user does not exist, nobody is taken for it', () => {
    expect(callerOf(641, { own: 642, agent: undefined })).toBe('other');
  });
});

describe('The number of a user', () => {
  test('comes from its line, and nonsense, another name or no file at all is nobody', () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-users-'));
    const file = join(folder, 'passwd');
    writeFileSync(
      file,
      'root:x:0:0::/:/bin/sh\nbroken\ncheckpost:x:641:641::/:/usr/sbin/nologin\nbad:x:-1:0\n',
    );
    expect(userNumber('checkpost', file)).toBe(641);
    expect(userNumber('root', file)).toBe(0);
    for (const name of ['bad', 'broken', 'check', '']) expect(userNumber(name, file)).toBeUndefined();
    expect(userNumber('root', join(folder, 'none'))).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});
