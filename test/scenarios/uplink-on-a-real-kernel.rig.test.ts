import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../rigs/requirements.ts';
import { makeImage } from '../rigs/vm/image.ts';
import type { TrafficReport } from '../rigs/site/traffic.ts';
import { bootMachine, type Line, type Machine } from '../rigs/vm/machine.ts';

// Debian's own kernel in QEMU, with the site of the other rigs inside, and WireGuard done by that kernel, as on a
// terminal. Only here can a clock be set back, and only here is there a line that is slow.

const tools = ['ip', 'tc', 'wg', 'nft', 'ping', 'setpriv', 'sysctl', 'date'];
const because = requires({
  test: 'the uplink on a real kernel',
  tools: [
    'qemu-system-x86_64',
    'apt-get',
    'dpkg-deb',
    'ldd',
    ...tools,
    ...(process.arch === 'x64' ? [] : ['an x86-64 processor']),
  ],
});
const root = join(import.meta.dirname, '../..');

describe.skipIf(because !== undefined)('The uplink with the kernel’s own WireGuard', () => {
  let folder: string;
  let machine: Machine | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'checkpost-vm-'));
    const image = await makeImage({
      program: join(root, 'test/rigs/vm/guest/uplink.ts'),
      modules: [
        // Asked for by name, which no module says of itself: a checksum, and where the lines of the firewall are logged.
        'crc32c_generic',
        'nf_log_syslog',
        'wireguard',
        'veth',
        'nft_ct',
        'nft_limit',
        'nft_log',
        'nft_numgen',
        'sch_netem',
      ],
      tools,
      command: true,
      seconds: 400,
      cache: join(root, '.setup/vm'),
      folder,
    });
    machine = bootMachine({ image, folder });
    await machine.ended();
  }, 480_000);

  afterAll(async () => {
    await machine?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What one of the checks inside saw; with all that the machine printed where it saw nothing. */
  function saw(check: string): Line {
    const line = machine?.lines.find((one) => one['check'] === check);
    if (line === undefined || 'failed' in line)
      throw new Error(`${check} came to no end: ${JSON.stringify(line)}\n${machine?.console()}`);
    return line;
  }

  test('It comes up, with interfaces of the kernel’s in both namespaces and the closed list in force', () => {
    expect(saw('up')).toMatchObject({
      kinds: ['wireguard', 'wireguard', 'wireguard', 'wireguard'],
      state: 'up',
      firewall: 'held',
    });
  });

  test('A planned switch of the uplink and of the hub, there and back, loses none of the probes every 20 ms', () => {
    const { uplink, hub } = saw('planned') as unknown as Record<'uplink' | 'hub', TrafficReport[]>;
    expect([...uplink, ...hub].map(({ lost }) => lost)).toEqual([0, 0, 0, 0]);
    for (const { sent } of [...uplink, ...hub]) expect(sent).toBeGreaterThan(50);
  });

  // 4 and 5 s on a real machine; here every processor is a program.
  test('When the uplink or the hub that carries falls silent, traffic flows again', () => {
    const { uplinkMs, hubMs } = saw('loss') as unknown as Record<'uplinkMs' | 'hubMs', number>;
    for (const gap of [uplinkMs, hubMs]) {
      expect(gap).toBeGreaterThan(300);
      expect(gap).toBeLessThan(15_000);
    }
  });

  test('New keys with every hub cost at most one probe', () => {
    const { report } = saw('rotate') as unknown as { report: TrafficReport };
    expect(report.sent).toBeGreaterThan(50);
    expect(report.lost).toBeLessThanOrEqual(1);
  });

  test.each(['outer', 'inner'])(
    'When the %s half is killed and started again, it takes over the interfaces, and no probe is lost',
    (part) => {
      const { report, before, after, ...rest } = saw(`${part}-killed`) as unknown as {
        report: TrafficReport;
        before: number[];
        after: number[];
      };
      expect(report.sent).toBeGreaterThan(50);
      expect(report.lost).toBe(0);
      expect(after).toEqual(before);
      expect(rest).toMatchObject({ state: 'up', firewall: 'held' });
    },
  );

  test('A line with 300 ms more each way and 5 % of loss is up and carries, without a switch in 60 s', () => {
    const { packets, dropped, paths, ...rest } = saw('bad-line') as unknown as {
      packets: number;
      dropped: number;
      paths: { delayMillis: number }[];
    };
    expect(rest).toMatchObject({ carriers: ['dsl one'], states: ['up', 'path up'], switches: 0 });
    // It really was that bad.
    expect(packets).toBeGreaterThan(60);
    expect(dropped).toBe(Math.ceil(packets / 20));
    for (const { delayMillis } of paths) expect(delayMillis).toBeGreaterThan(590);
  });

  test('A terminal whose clock has lost a day comes up by itself once the clock was set up to its floor', () => {
    const { before, after, handshake, said } = saw('floor') as unknown as Record<string, number>;
    expect(said).toMatchObject({ result: 'raised', fault: null });
    // The hubs have said the time more than a minute ago, and what has passed since counts too.
    expect(after).toBeGreaterThanOrEqual(Math.max(handshake ?? Infinity, (before ?? Infinity) - 15));
  });

  test('Without that its handshakes are refused, until each hub was told to forget what it remembers', () => {
    const { before, after, refused, told, handshakes } = saw('reset') as unknown as {
      before: number;
      after: number;
      refused: { reached: boolean; handshakes: number[]; sent: number };
      told: string[];
      handshakes: number[];
    };
    expect(before - after).toBeGreaterThan(86_000);
    expect(refused).toMatchObject({ reached: false, handshakes: Array(6).fill(0) });
    expect(refused.sent).toBeGreaterThan(0);
    const forgotten = { terminal: 'UTO-0001-1', peers: 3 };
    expect(told.map((line) => JSON.parse(line) as unknown)).toEqual([forgotten, forgotten]);
    for (const at of handshakes) expect(at).toBeGreaterThan(0);
  });
});
