import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#runtime/clock.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { openMachine } from './machine.ts';
import { powerFacts } from './power.ts';
import { deviceOf, storageFacts } from './storage.ts';
import { trafficFacts } from './traffic.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-machine-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Files of a made-up kernel. */
function tree(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }
}

function device(numbers: string, path: string): void {
  mkdirSync(join(folder, 'dev/block'), { recursive: true });
  symlinkSync(`../../devices/${path}`, join(folder, 'dev/block', numbers));
}

describe('The machine', () => {
  test('Every figure is real: this machine has memory, a disk and a processor', async () => {
    const machine = openMachine({ stateFolder: folder, clock: systemClock });
    const facts = await machine.facts();
    expect(facts.memory.totalBytes).toBeGreaterThan(facts.memory.availableBytes);
    expect(facts.memory.agentBytes).toBeGreaterThan(10_000_000);
    expect(facts.disk.totalBytes).toBeGreaterThan(facts.disk.freeBytes);
    expect(facts.load.cpus).toBeGreaterThan(0);
    expect(machine.os).not.toBe('unknown');
    expect(await deviceOf(folder)).toMatch(/^\d+:\d+$/);
  });
  test('The hottest sensor counts; one that fails is passed over; without any there is no temperature', async () => {
    const machine = openMachine({ stateFolder: folder, clock: systemClock, sys: folder });
    expect((await machine.facts()).temperature).toBeNull();
    tree({
      'class/thermal/thermal_zone0/temp': '41000',
      'class/thermal/thermal_zone1/temp': '58500',
      'class/thermal/thermal_zone2/temp': 'broken',
      'class/thermal/thermal_zone3/temp': '-274000',
      'class/thermal/cooling_device0/temp': '99000',
    });
    expect((await machine.facts()).temperature).toEqual({ celsius: 58.5 });
  });
  test('The wear of the storage is asked for every ten minutes only', async () => {
    const clock = new TestClock();
    const machine = openMachine({ stateFolder: folder, clock, sys: folder });
    const wear = async () => (await machine.facts()).storage.wearPercent;
    const life = (text: string): void => tree({ 'block/mmcblk0/device/life_time': text });
    life('0x01 0x02');
    expect(await wear()).toBe(20);
    life('0x03 0x02');
    await clock.advance(599_999);
    expect(await wear()).toBe(20);
    await clock.advance(1);
    expect(await wear()).toBe(30);
  });
});

describe('The storage', () => {
  test.each([
    ['0x01 0x01', '0x01', 10],
    ['0x02 0x08', '0x01', 80],
    ['0x0a 0x03', '0x01', 100],
    ['0x0B 0x01', '0x01', 110],
    ['0x02 0x01', '0x02', 80],
    ['0x02 0x01', '0x03', 100],
    ['0x00 0x00', '0x00', null],
    ['', '', null],
    ['0xff nonsense', '0x01', null],
  ])('eMMC that says %s and %s is worn by %s percent', async (life, end, percent) => {
    device('179:2', 'mmc0/block/mmcblk0/mmcblk0p2');
    tree({
      'block/mmcblk0/device/life_time': life,
      'block/mmcblk0/device/pre_eol_info': end,
      'block/mmcblk1/device/life_time': '0x0b 0x0b',
      'block/mmcblk0boot0/device/life_time': '0x0b 0x0b',
      'fs/ext4/mmcblk0p2/errors_count': '0',
    });
    expect(await storageFacts(folder, '179:2')).toEqual({ wearPercent: percent, fileSystemErrors: 0 });
  });
  test('Below an encrypted partition lies its disk; the errors are those of the file system in it', async () => {
    device('253:0', 'virtual/block/dm-0');
    tree({
      'block/dm-0/slaves/mmcblk0p3/partition': '3',
      'block/mmcblk0/device/life_time': '0x04 0x01',
      'fs/ext4/dm-0/errors_count': '7',
      'fs/ext4/mmcblk0p1/errors_count': '99',
    });
    expect(await storageFacts(folder, '253:0')).toEqual({ wearPercent: 40, fileSystemErrors: 7 });
  });
  test('A disk that does not tell is not known, even beside flash that does', async () => {
    device('8:1', 'pci/block/sda/sda1');
    tree({ 'block/sda/size': '1', 'block/mmcblk0/device/life_time': '0x04 0x01' });
    expect(await storageFacts(folder, '8:1')).toEqual({ wearPercent: null, fileSystemErrors: null });
    expect(await storageFacts(folder, undefined)).toEqual({ wearPercent: 40, fileSystemErrors: null });
    expect(await storageFacts(join(folder, 'none'), '8:1')).toEqual({
      wearPercent: null,
      fileSystemErrors: null,
    });
  });
});

describe('The power', () => {
  const supply = (name: string, files: Readonly<Record<string, string>>): void =>
    tree(
      Object.fromEntries(
        Object.entries(files).map(([key, value]) => [`class/power_supply/${name}/${key}`, value]),
      ),
    );
  const battery = { type: 'Battery', status: 'Discharging', capacity: '64', present: '1' };

  test('A machine without supplies does not tell', async () => {
    expect(await powerFacts(folder)).toBeNull();
    supply('hidpp_battery_0', { ...battery, scope: 'Device' });
    supply('BAT1', { ...battery, present: '0' });
    expect(await powerFacts(folder)).toBeNull();
  });
  test.each([
    ['mains there', { type: 'Mains', online: '1' }, battery, 'mains'],
    ['mains gone', { type: 'Mains', online: '0' }, { ...battery, status: 'Not charging' }, 'battery'],
    ['no word of mains, a UPS that empties', undefined, { ...battery, type: 'UPS' }, 'battery'],
    ['no word of mains, a battery that charges', undefined, { ...battery, status: 'Charging' }, 'mains'],
  ])('With %s it runs on %s', async (_, mains, own, source) => {
    if (mains !== undefined) supply('AC', mains);
    supply('BAT0', own);
    expect(await powerFacts(folder)).toEqual({ source, batteryPercent: 64, undervoltage: false });
  });
  test('Mains alone is mains, and the emptiest of two batteries counts', async () => {
    supply('AC', { type: 'Mains', online: '0' });
    expect(await powerFacts(folder)).toMatchObject({ source: 'mains', batteryPercent: null });
    supply('BAT0', { ...battery, capacity: '110' });
    supply('BAT1', { ...battery, capacity: '12' });
    expect(await powerFacts(folder)).toMatchObject({ source: 'battery', batteryPercent: 12 });
  });
  const firmware = 'devices/platform/soc/soc:firmware/get_throttled';
  test.each<[Readonly<Record<string, string>>, boolean]>([
    [{ [firmware]: '50005' }, true],
    [{ [firmware]: '0x50000' }, false],
    [
      { [firmware]: '1', 'class/hwmon/hwmon1/name': 'rpi_volt', 'class/hwmon/hwmon1/in0_lcrit_alarm': '0' },
      false,
    ],
    [{ 'class/hwmon/hwmon1/name': 'rpi_volt', 'class/hwmon/hwmon1/in0_lcrit_alarm': '1' }, true],
  ])('The board says %j: the voltage is too low: %s', async (files, undervoltage) => {
    tree(files);
    expect(await powerFacts(folder)).toEqual({ source: 'mains', batteryPercent: null, undervoltage });
  });
});

describe('The traffic', () => {
  const heading =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed';
  const line = (name: string, received: number, sent: number): string =>
    `${name}: ${received} 11 0 0 0 0 0 0 ${sent} 12 0 0 0 0 0 0`;
  const dev = (...lines: string[]): void => tree({ 'self/net/dev': [heading, ...lines].join('\n') });

  test('Of the tunnels only, all together; none without one', async () => {
    tree({
      'class/net/eth0/uevent': 'INTERFACE=eth0\nIFINDEX=2',
      'class/net/checkpost0/uevent': 'DEVTYPE=wireguard\nINTERFACE=checkpost0',
      'class/net/checkpost1/uevent': 'INTERFACE=checkpost1',
      'class/net/checkpost1/tun_flags': '0x1001',
    });
    dev(line('    lo', 5, 5), line('  eth0', 1000, 2000));
    expect(await trafficFacts(folder, folder)).toBeNull();
    dev(
      line('    lo', 5, 5),
      line('  eth0', 1000, 2000),
      line('checkpost0', 300, 40),
      line('checkpost1', 7, 8),
    );
    expect(await trafficFacts(folder, folder)).toEqual({ sentBytes: 48, receivedBytes: 307 });
  });
  test('An interface that /sys does not show is of the agent’s own namespace', async () => {
    dev(line('    lo', 5, 5), line('checkpost0', 300, 40));
    expect(await trafficFacts(folder, folder)).toEqual({ sentBytes: 40, receivedBytes: 300 });
  });
  test('Without the kernel’s list there is none', async () => {
    expect(await trafficFacts(folder, folder)).toBeNull();
  });
});
