import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');
const rules = read('nftables/checkpost.nft');
const users = read('../systemd/checkpost.sysusers');
const sysctl = read('sysctl/60-checkpost.conf');
const userOf = (name: string): number => Number(new RegExp(`^u ${name} (\\d+) `, 'm').exec(users)?.[1]);
const settings = UplinkSettings.properties as unknown as Readonly<Record<string, { default?: unknown }>>;

describe('Numbers that stand in more than one file are the same in each', () => {
  test('the mark of the tunnel, in the firewall at boot and in the settings', () => {
    expect(rules).toContain(`meta mark ${String(settings['mark']?.default)}-`);
  });

  test('the port of the officer’s page, in the firewall at boot and in the settings', () => {
    const { port } = (UplinkSettings.properties.officer as unknown as { properties: typeof settings })
      .properties;
    expect(rules).toContain(`tcp dport ${String(port?.default)} `);
  });

  test('the user of the time service, in the settings and where it is made', () => {
    expect(settings['timeUser']?.default).toBe(userOf('_chrony'));
  });

  test('the group of the uplink, which may send echoes, in the kernel’s settings and where it is made', () => {
    const user = userOf('checkpost-uplink');
    expect(sysctl).toContain(`\nnet.ipv4.ping_group_range = ${user} ${user}\n`);
  });
});

describe('The settings of the kernel', () => {
  const lines = sysctl.split('\n');
  const given = lines.filter((line) => line !== '' && !line.startsWith('#'));

  test('are each a key and numbers, and no key stands twice', () => {
    for (const line of given) expect(line).toMatch(/^net\.ipv[46](\.\w+)+ = -?\d+( \d+)?$/);
    const keys = given.map((line) => line.split(' = ')[0]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('say why, in a comment above each group', () => {
    for (const group of sysctl.trim().split('\n\n')) expect(group.startsWith('#')).toBe(true);
  });

  test('hold for interfaces that are there and for those that come', () => {
    for (const line of given.filter((one) => one.includes('.conf.all.')))
      expect(given).toContain(line.replace('.all.', '.default.'));
  });
});
