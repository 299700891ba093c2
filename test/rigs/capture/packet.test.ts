import { describe, expect, test } from 'vitest';
import { describePacket, readPacket } from './packet.ts';
import { readPcap } from './pcap.ts';

// Headers written out byte by byte, so that the reader is not judged by itself.
const own = '02 00 00 00 00 01';
const peer = '02 00 00 00 00 02';
const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
const read = (bytes: Buffer) =>
  readPacket({ at: 1, bytes, length: bytes.length }, 'eth0', '02:00:00:00:00:01');
const out = (...parts: readonly string[]) => read(hex(peer, own, ...parts));

const ip4 = (protocol: string, flags = '0000') =>
  `45 00 00 3c 12 34 ${flags} 40 ${protocol} 00 00 c0 00 02 0a c6 33 64 07`;
const ip6 = (next: string) =>
  `60 00 00 00 00 28 ${next} ff 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 0a ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 07`;
const udp = 'd4 31 ca 6c 00 28 00 00 04 00 00 00';

describe('A captured packet', () => {
  test('is out where it has the device’s own address as its sender, and in otherwise', () => {
    expect(read(hex(peer, own, '0806')).direction).toBe('out');
    expect(read(hex(own, peer, '0806')).direction).toBe('in');
  });

  test('of UDP over IPv4 has its ends, its size by the header and its payload', () => {
    expect(out('0800', ip4('11'), udp).network).toEqual({
      kind: 'ip',
      version: 4,
      source: '192.0.2.10',
      destination: '198.51.100.7',
      hopLimit: 64,
      protocol: 17,
      fragment: undefined,
      transport: { kind: 'udp', from: 54_321, to: 51_820, size: 32, payload: hex('04 00 00 00') },
    });
  });

  test('of TCP over IPv4 with options of IP is read behind them', () => {
    const header = ip4('06').replace('45', '46') + ' 94 04 00 00';
    const network = out('0800', header, '20 fb 9c 40 00 00 00 00 00 00 00 00 50 12 00 00').network;
    expect(network).toMatchObject({ transport: { kind: 'tcp', from: 8443, to: 40_000, flags: 0x12 } });
  });

  test('of IPv6 is read behind its extension headers, with addresses as RFC 5952 writes them', () => {
    // A multicast report: hop-by-hop options with a router alert, then ICMPv6 of type 143.
    const network = out('86dd', ip6('00'), '3a 00 05 02 00 00 01 00', '8f 00 00 00').network;
    expect(network).toMatchObject({
      version: 6,
      source: '2001:db8::a',
      destination: 'ff02::1:ff00:7',
      hopLimit: 255,
      protocol: 58,
      transport: { kind: 'icmp', type: 143, code: 0 },
    });
  });

  test('that is a later fragment has no ports, whatever its bytes look like', () => {
    expect(out('0800', ip4('11', '00b9'), udp).network).toMatchObject({
      fragment: { id: 0x1234, first: false },
      transport: { kind: 'other' },
    });
    expect(out('0800', ip4('11', '2000'), udp).network).toMatchObject({
      fragment: { id: 0x1234, first: true },
      transport: { kind: 'udp' },
    });
    const later = out('86dd', ip6('2c'), '11 00 05 a8 00 00 00 07', udp).network;
    expect(later).toMatchObject({
      protocol: 17,
      fragment: { id: 7, first: false },
      transport: { kind: 'other' },
    });
  });

  test('that is cut off or of another kind is read as such, and never throws', () => {
    expect(out('8100', '00 01 08 00').network).toEqual({ kind: 'other', etherType: 0x8100 });
    const whole = hex(peer, own, '86dd', ip6('00'), '3a 00 05 02 00 00 01 00', '8f 00 00 00');
    for (let length = 0; length < whole.length; length++)
      expect(() => describePacket(read(whole.subarray(0, length)))).not.toThrow();
  });

  test('is described in one line', () => {
    expect(describePacket(out('0800', ip4('11'), udp))).toBe(
      'out eth0: UDP 192.0.2.10 port 54321 > 198.51.100.7 port 51820, 46 bytes',
    );
    expect(describePacket(read(hex(own, peer, '0806')))).toBe('in eth0: ARP');
  });
});

describe('A capture file', () => {
  const header = (magic: string, link = '01000000') =>
    hex(magic, '0200 0400 00000000 00000000 00010000', link);
  const record = hex('02000000 a0860100 03000000 09000000', 'aabbcc');

  test('gives its packets with their time and true length; a last one that is not whole is left out', () => {
    const file = Buffer.concat([header('d4c3b2a1'), record, record.subarray(0, 18)]);
    expect(readPcap(file)).toEqual([{ at: 2.1, bytes: hex('aabbcc'), length: 9 }]);
  });

  test('may count nanoseconds', () => {
    expect(readPcap(Buffer.concat([header('4d3cb2a1'), record]))[0]?.at).toBe(2.0001);
  });

  test('may have the other byte order', () => {
    const big = hex('a1b2c3d4 0002 0004 00000000 00000000 00000100 00000001');
    const packet = hex('00000002 000186a0 00000003 00000009 aabbcc');
    expect(readPcap(Buffer.concat([big, packet]))).toEqual([{ at: 2.1, bytes: hex('aabbcc'), length: 9 }]);
  });

  test('of something else than Ethernet, and no capture at all, are refused', () => {
    expect(() => readPcap(header('d4c3b2a1', '71000000'))).toThrow('not Ethernet');
    expect(() => readPcap(Buffer.alloc(24))).toThrow('no capture');
    expect(() => readPcap(Buffer.alloc(3))).toThrow('shorter');
  });
});
