import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ok } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { enrol, hubList, signRequest } from '#provisioning/index.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Bureau, filesBelow, makeBureau, publicKeys, valueOf } from '#test/rigs/bureau.ts';
import { killedAt } from '#test/rigs/killed-at.ts';
import { requires } from '#test/rigs/requirements.ts';

const without = requires({ test: 'enrolment that is killed at any write', tools: ['strace'] });
/** Dozens of processes, each under strace. */
const patience = 240_000;

describe.skipIf(without !== undefined)('enrolment that is killed while it writes', () => {
  let bureau: Bureau;
  let code: string;
  /** Folders as they were before each half. */
  const before = (half: string): string => bureau.at(`before-${half}`);

  beforeAll(async () => {
    bureau = await makeBureau({ tunnel: true });
    ({ code } = await bureau.bundle());
    const keep = (half: string): void => {
      mkdirSync(before(half));
      for (const name of ['stick', 'terminal', 'terminal-uplink', 'authority']) {
        if (existsSync(bureau.at(name)))
          cpSync(bureau.at(name), join(before(half), name), { recursive: true });
      }
    };
    keep('request');
    valueOf(await bureau.enrol(code));
    keep('sign');
    valueOf(await bureau.sign());
    keep('install');
  });
  afterAll(() => bureau.close());

  const enrolArgs = (folder: string) => [
    'enrol',
    join(folder, 'stick'),
    '--state',
    join(folder, 'terminal'),
    '--code',
    code,
  ];
  const signArgs = (folder: string) => [
    'authority',
    'sign',
    join(folder, 'stick'),
    '--dir',
    join(folder, 'authority'),
  ];

  /** The same two commands, again and in this process. */
  const enrolAgain = async (folder: string): Promise<void> => {
    const order = {
      stick: join(folder, 'stick'),
      state: join(folder, 'terminal'),
      tunnel: { folder: join(folder, 'terminal-uplink'), publicKeys },
      askCode: async () => ok(code),
    };
    valueOf(await enrol(order, bureau.parts));
  };
  const signAgain = async (folder: string): Promise<void> => {
    valueOf(
      await signRequest({ dir: join(folder, 'authority'), request: join(folder, 'stick') }, bureau.parts),
    );
  };

  /** Whether each hub has this terminal once, with the very keys that it has. */
  const hubsTake = async (folder: string): Promise<boolean> => {
    const uplink = join(folder, 'terminal-uplink');
    const settings = valueOf(loadSettings(UplinkSettings, join(uplink, 'uplink.json')));
    const own = valueOf(await publicKeys(settings)).map(({ publicKey }) => publicKey);
    expect(readdirSync(uplink).sort()).toEqual(['keys', 'psk', 'trusted.json', 'tunnel.key', 'uplink.json']);
    for (const { name } of settings.hubs) {
      const order = { hub: name, authorities: [{ dir: join(folder, 'authority') }] };
      const [terminal, ...more] = valueOf(await hubList(order, bureau.parts));
      const taken = [terminal?.publicKey, ...(terminal?.probes.map(({ publicKey }) => publicKey) ?? [])];
      const preshared = readFileSync(join(uplink, 'psk', `${name}.psk`), 'utf8').trim();
      expect([more, taken, terminal?.presharedKey]).toEqual([[], own, preshared]);
    }
    return own.length === 3;
  };

  /** Kills one half at every call of the kind, one after the other, and then goes on; how often it was killed. */
  async function killEverywhere(
    half: string,
    call: string,
    args: (folder: string) => readonly string[],
    goOn: (folder: string) => Promise<void>,
  ): Promise<number> {
    const folder = bureau.at('work');
    for (let n = 1; ; n++) {
      rmSync(folder, { recursive: true, force: true });
      cpSync(before(half), folder, { recursive: true });
      if (!killedAt(call, n, args(folder))) return n - 1;
      await goOn(folder);
      expect(loadSettings(AgentSettings, join(folder, 'terminal', 'agent.json')).ok).toBe(true);
      const names = [...filesBelow(join(folder, 'terminal')).keys()];
      expect(names).toEqual(
        expect.arrayContaining([
          'keys/seal.json',
          'keys/audit-seal.json',
          'tls/certificate.pem',
          'tls/key.pem',
        ]),
      );
      expect(names.filter((name) => name.includes('pending.json') || name.endsWith('.new'))).toEqual([]);
      expect(readFileSync(join(folder, 'authority', 'registry.json'), 'utf8')).toContain('UTO-0001-1');
      expect(await hubsTake(folder)).toBe(true);
    }
  }

  test(
    'the request can be asked for again after a kill at any rename',
    async () => {
      const kills = await killEverywhere('request', 'rename', enrolArgs, async (folder) => {
        await enrolAgain(folder);
        await signAgain(folder);
        await enrolAgain(folder);
      });
      expect(kills).toBeGreaterThanOrEqual(2);
    },
    patience,
  );

  test(
    'the answer can be asked for again after a kill at any sync of the authority',
    async () => {
      const kills = await killEverywhere('sign', 'fsync', signArgs, async (folder) => {
        await signAgain(folder);
        await enrolAgain(folder);
      });
      expect(kills).toBeGreaterThanOrEqual(4);
    },
    patience,
  );

  test(
    'the installation goes on after a kill at any rename',
    async () => {
      const kills = await killEverywhere('install', 'rename', enrolArgs, enrolAgain);
      expect(kills).toBeGreaterThanOrEqual(9);
    },
    patience,
  );
});
