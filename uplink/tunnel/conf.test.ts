import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { parseConf, renderConf, syncTunnel, type TunnelConf } from './conf.ts';

const key = (fill: number): string => {
  const raw = Buffer.alloc(32, fill);
  raw[0] = fill & 248;
  raw[31] = (fill & 127) | 64;
  return raw.toString('base64');
};
const wanted: TunnelConf = {
  privateKey: key(1),
  peers: [
    {
      publicKey: key(2),
      presharedKey: key(3),
      endpoint: '[2001:DB8::1]:4',
      allowedIps: ['fd00::/8', '10.1.2.3/8'],
      keepaliveSeconds: 25,
    },
    { publicKey: key(4), allowedIps: [] },
  ],
};
// As `wg showconf` of wireguard-tools 1.0.20210914 prints it.
const shown = `[Interface]
ListenPort = 53201
FwMark = 0x6370
PrivateKey = ${key(1)}

[Peer]
PublicKey = ${key(4)}

[Peer]
PublicKey = ${key(2)}
PresharedKey = ${key(3)}
AllowedIPs = 10.0.0.0/8, fd00::/8
Endpoint = [2001:db8::1]:4
PersistentKeepalive = 25
`;

function machine(conf: Result<string>, done: Result<string> = ok('')) {
  const runs: { line: string; input: string | undefined }[] = [];
  const children: Children = {
    run(tool, args, options) {
      runs.push({ line: [tool.name, ...args].join(' '), input: options?.input });
      return Promise.resolve(args[0] === 'showconf' ? conf : done);
    },
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  return { children, runs };
}

test('The text for wg has key, mark, port and every peer, and says outright where there is no preshared key or keepalive', () => {
  expect(renderConf({ ...wanted, fwMark: 7, listenPort: 9 }).split('\n')).toEqual([
    '[Interface]',
    `PrivateKey = ${key(1)}`,
    'ListenPort = 9',
    'FwMark = 7',
    '[Peer]',
    `PublicKey = ${key(2)}`,
    `PresharedKey = ${key(3)}`,
    'AllowedIPs = fd00::/8, 10.1.2.3/8',
    'Endpoint = [2001:DB8::1]:4',
    'PersistentKeepalive = 25',
    '[Peer]',
    `PublicKey = ${key(4)}`,
    `PresharedKey = ${Buffer.alloc(32).toString('base64')}`,
    'PersistentKeepalive = 0',
    '',
  ]);
});

test('What wg prints is understood, and what it never prints is not', () => {
  expect(parseConf(shown)).toMatchObject({ privateKey: key(1), listenPort: 53_201, fwMark: 0x6370 });
  expect(parseConf('[Interface]\n')).toEqual({ privateKey: '', listenPort: 0, fwMark: 0, peers: [] });
  for (const text of [
    '',
    'nonsense',
    '[Peer]\nPublicKey = x',
    '[Interface]\n[Peer]\n',
    '[Interface]\n[Interface]',
    'a = b',
  ])
    expect(parseConf(text)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => void parseConf(text)));
});

test('Where all stands, in whatever spelling and order, nothing is told to the tunnel', async () => {
  const { children, runs } = machine(ok(shown));
  expect(await syncTunnel('checkpost0', wanted, children)).toEqual(ok(false));
  expect(runs.map(({ line }) => line)).toEqual(['wg showconf checkpost0']);
  // An endpoint that is not known yet is no reason to touch the one that is.
  const [first, second] = wanted.peers;
  const { endpoint: _, ...without } = first!;
  expect(await syncTunnel('checkpost0', { ...wanted, peers: [without, second!] }, children)).toEqual(
    ok(false),
  );
});

test.each([
  ['another private key', { privateKey: key(9) }],
  ['another mark', { fwMark: 1 }],
  ['one peer less', { peers: wanted.peers.slice(0, 1) }],
  ['another network', { peers: [{ ...wanted.peers[0]!, allowedIps: ['fd00::/8'] }, wanted.peers[1]!] }],
  ['no preshared key', { peers: [wanted.peers[0]!, { ...wanted.peers[1]!, presharedKey: key(5) }] }],
  ['another endpoint', { peers: [{ ...wanted.peers[0]!, endpoint: '192.0.2.1:4' }, wanted.peers[1]!] }],
])(
  'With %s the whole is told over standard input, with the port and the mark that it has',
  async (_, change) => {
    const { children, runs } = machine(ok(shown));
    expect(await syncTunnel('checkpost0', { ...wanted, ...change }, children)).toEqual(ok(true));
    expect(runs[1]?.line).toBe('wg syncconf checkpost0 /dev/stdin');
    expect(runs[1]?.input).toContain('ListenPort = 53201');
    expect(runs[1]?.input).toContain(`FwMark = ${'fwMark' in change ? 1 : 0x6370}`);
  },
);

test('No key stands in an argument or a fault', async () => {
  const { children, runs } = machine(ok('[Interface]\n'), fail('TOOL_FAILED', 'wg ended with code 1.'));
  const done = await syncTunnel('checkpost0', wanted, children);
  expect(done).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
  const told = JSON.stringify([done, runs.map(({ line }) => line)]);
  for (const secret of [key(1), key(3)]) expect(told).not.toContain(secret);
  const odd = await syncTunnel('checkpost0', wanted, machine(ok(`nonsense ${key(1)}`)).children);
  expect(odd).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
  expect(JSON.stringify(odd)).not.toContain(key(1));
});

test('Without peers the interface is told so in the way in which wg does it', async () => {
  const { children, runs } = machine(ok(shown));
  await syncTunnel('checkpost0', { ...wanted, peers: [] }, children);
  expect(runs[1]?.line).toBe('wg setconf checkpost0 /dev/stdin');
});
