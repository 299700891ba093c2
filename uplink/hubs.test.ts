import { expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { monotonic } from '#contracts/units.ts';
import { parseSettings } from '#runtime/settings.ts';
import { checkUplink } from './check.ts';
import { type HubView, lookAtHubs, parseHandshakes, wgForgetArguments, wgSetArguments } from './hubs.ts';

const keyOf = (letter: string): string => `${letter.repeat(42)}A=`;
const hub = (name: string, changes: object = {}) => ({
  name,
  publicKey: keyOf(name.slice(0, 1)),
  endpoint: '192.0.2.1:51820',
  allowedIps: [`10.77.${name.charCodeAt(0)}.0/24`],
  ...changes,
});
const given = (...hubs: object[]) => ({ privateKey: 'tunnel.key', addresses: ['10.77.0.2/32'], hubs });

function settings(...hubs: object[]): UplinkSettings {
  const parsed = parseSettings(UplinkSettings, given(...hubs), '/etc/checkpost/uplink.json');
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

test('The arguments for wg name the key file, the mark and every hub, and replace what the hub had', () => {
  const two = settings(hub('a'), hub('b', { endpoint: '[2001:db8::1]:443', keepaliveSeconds: 60 }));
  expect(wgSetArguments(two, '/keys/tunnel.key').join(' ')).toBe(
    [
      'set checkpost0 private-key /keys/tunnel.key fwmark 25456',
      `peer ${keyOf('a')} endpoint 192.0.2.1:51820 persistent-keepalive 25 allowed-ips 10.77.97.0/24`,
      `peer ${keyOf('b')} endpoint [2001:db8::1]:443 persistent-keepalive 60 allowed-ips 10.77.98.0/24`,
    ].join(' '),
  );
  expect(wgForgetArguments('checkpost0', [keyOf('a')]).join(' ')).toBe(
    `set checkpost0 private-key /dev/null peer ${keyOf('a')} remove`,
  );
});

test('What wg says of handshakes is parsed line by line, and a line of another form is left out', () => {
  const text = `${keyOf('a')}\t1768464000\n${keyOf('b')}\t0\nnonsense\n`;
  expect([...parseHandshakes(text)]).toEqual([
    [keyOf('a'), 1_768_464_000],
    [keyOf('b'), 0],
  ]);
  expect(parseHandshakes('').size).toBe(0);
});

test('A hub waits until its first handshake, is up for 180 s after each, then silent, whatever the wall clock says', () => {
  const one = settings(hub('a'));
  const seen: string[] = [];
  let views: readonly HubView[] = [];
  // The handshake of the year 1970: the terminal started with a flat battery, and the time is set right later.
  for (const [at, handshake] of [
    [0, 0],
    [5000, 100],
    [184_000, 100],
    [185_000, 100],
    [190_000, 1_768_464_000],
  ] as const) {
    views = lookAtHubs(one, new Map([[keyOf('a'), handshake]]), views, monotonic(at));
    seen.push(views[0]?.state ?? 'none');
  }
  expect(seen).toEqual(['waiting', 'up', 'up', 'silent', 'up']);
});

test('A hub that wg does not know is waiting, not up', () => {
  expect(lookAtHubs(settings(hub('a')), new Map(), [], monotonic(0))[0]?.state).toBe('waiting');
});

test('Every address, prefix and endpoint that is none is named at once', () => {
  const wrong = settings(
    hub('a', { endpoint: '192.0.2.999:51820', allowedIps: ['10.0.0.0/33'] }),
    hub('b', { endpoint: '192.0.2.1:0', allowedIps: ['fd00::/129', '1.2.3/8'] }),
  );
  const checked = checkUplink(wrong, 'inner', 'uplink.json');
  expect(checked).toMatchObject({ ok: false, fault: { code: 'SETTINGS_INVALID' } });
  const detail = checked.ok ? '' : checked.fault.detail;
  for (const name of ['0.endpoint', '0.allowedIps.0', '1.endpoint', '1.allowedIps.0', '1.allowedIps.1'])
    expect(detail).toContain(`hubs.${name}: found`);
});

test('Two hubs with the same name, key or addresses are refused: WireGuard would give them to the last one', () => {
  const checked = checkUplink(settings(hub('a'), hub('a')), 'inner', 'uplink.json');
  expect(checked.ok ? '' : checked.fault.detail).toMatch(
    /hubs\.1\.name: stands twice.*\nhubs\.1\.publicKey: stands twice.*\nhubs\.1\.allowedIps: stands twice/,
  );
});

test('A hub whose own address leads through the tunnel is refused, except where the tunnel has its own namespace', () => {
  const all = settings(hub('a', { allowedIps: ['0.0.0.0/0', '::/0'] }));
  expect(checkUplink(all, 'whole', 'uplink.json')).toMatchObject({ ok: false });
  expect(checkUplink(all, 'inner', 'uplink.json')).toEqual({ ok: true, value: undefined });
});

test.each(['hub.example:51820', '192.0.2.1', '2001:db8::1:51820'])(
  'The endpoint %s is refused: a name is never resolved again, and a port must be there',
  (endpoint) => {
    const parsed = parseSettings(UplinkSettings, given(hub('a', { endpoint })), '/uplink.json');
    expect(parsed.ok ? '' : parsed.fault.detail).toContain('hubs.0.endpoint: found');
  },
);
