import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootFile } from './boot-file.ts';

const file = join(import.meta.dirname, '../../firmware-config/nftables/checkpost.nft');

test('The file that the firmware loads at boot is made of the closed list; `npm run docs` makes it anew', () => {
  expect(readFileSync(file, 'utf8')).toBe(bootFile());
});

test('At boot no mark, no name server and no time server is let out: neighbours, addresses and the page are all', () => {
  const out = bootFile().split('chain output')[1] ?? '';
  const accepted = [...out.matchAll(/accept comment "([^"]+)"/g)].map((match) => match[1]);
  expect([...new Set(accepted)]).toEqual(['loopback', 'neighbours', 'dhcp', 'dhcp6', 'page-answer']);
});
