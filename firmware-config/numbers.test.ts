import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';

const rules = readFileSync(join(import.meta.dirname, 'nftables/checkpost.nft'), 'utf8');
const users = readFileSync(join(import.meta.dirname, '../systemd/checkpost.sysusers'), 'utf8');
const defined = (name: string): number =>
  Number(new RegExp(`^define ${name} = (\\d+)$`, 'm').exec(rules)?.[1]);

test('The mark that the firewall lets out is the one that the uplink sets by default', () => {
  expect(defined('wireguard_mark')).toBe((UplinkSettings.properties.mark as { default?: number }).default);
});

test.each([
  ['checkpost-uplink', 'uplink_user'],
  ['_chrony', 'time_user'],
])('The number of the user %s is the same in the firewall and where the user is made', (user, name) => {
  const made = new RegExp(`^u ${user} (\\d+) `, 'm').exec(users)?.[1];
  expect(defined(name)).toBe(Number(made));
});
