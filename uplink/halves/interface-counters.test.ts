import { expect, test } from 'vitest';
import { parseInterfaceCounters, readInterfaceCounters } from './interface-counters.ts';

const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
checkpost0: 5000      40    0    0    0     0          0         0     7000      50    0    0    0     0       0          0
broken: 1 2 3
`;

test('Bytes and packets of each interface are read, and a line of another form is left out', () => {
  const found = parseInterfaceCounters(text);
  expect([...found.keys()]).toEqual(['lo', 'checkpost0']);
  expect(found.get('checkpost0')).toEqual({
    interface: 'checkpost0',
    rxBytes: 5000,
    rxPackets: 40,
    txBytes: 7000,
    txPackets: 50,
  });
});

test('The loopback of this machine has counters, and a file that is not there has none', () => {
  expect(readInterfaceCounters().has('lo')).toBe(true);
  expect(readInterfaceCounters('/nowhere').size).toBe(0);
});
