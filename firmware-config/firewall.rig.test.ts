import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';

const file = join(import.meta.dirname, 'nftables/checkpost.nft');
const folder = mkdtempSync(join(tmpdir(), 'checkpost-firewall-'));
afterAll(() => rmSync(folder, { recursive: true }));
const reason = requires({ test: 'the firewall', root: true, tools: ['nft', 'unshare', 'sysctl'] });

/** In a network namespace of its own, so that the machine's rules are neither read nor changed. */
function nft(...args: string[]) {
  return spawnSync('unshare', ['-n', 'nft', ...args], { encoding: 'utf8' });
}

describe.skipIf(reason !== undefined)('The firewall', () => {
  test('nft accepts the rules as they ship', () => {
    expect(nft('-c', '-f', file)).toMatchObject({ status: 0, stderr: '' });
  });

  test('A rule that is wrong is caught', () => {
    const broken = join(folder, 'broken.nft');
    writeFileSync(broken, readFileSync(file, 'utf8').replace('policy drop', 'policy drip'));
    expect(nft('-c', '-f', broken).status).not.toBe(0);
  });

  test('Loaded, all three chains drop what nothing lets through, and loading again changes nothing', () => {
    const twice = `nft -f ${file} && nft -f ${file} && nft list ruleset`;
    const listed = spawnSync('unshare', ['-n', 'sh', '-c', twice], { encoding: 'utf8' });
    expect(listed.status, listed.stderr).toBe(0);
    for (const hook of ['input', 'forward', 'output']) {
      expect(listed.stdout).toMatch(new RegExp(`hook ${hook} priority filter; policy drop;`));
    }
    expect(listed.stdout.match(/chain input/g)).toHaveLength(1);
  });

  test('The kernel takes every setting of the network as it ships', () => {
    const settings = join(import.meta.dirname, 'sysctl/60-checkpost.conf');
    const set = spawnSync('unshare', ['-n', 'sysctl', '-p', settings], { encoding: 'utf8' });
    expect(set).toMatchObject({ status: 0, stderr: '' });
  });
});
