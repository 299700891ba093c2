import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { neighbourState, parseNeighbours } from './neighbours.ts';

const printed = `[{"dst":"192.0.2.1","dev":"eth0","lladdr":"02:fc:00:00:00:05","state":["STALE"]},
{"dst":"192.0.2.2","dev":"eth0","lladdr":"02:fc:00:00:00:06","state":["REACHABLE"]},
{"dst":"FD00::1","dev":"eth0","state":["FAILED"]},
{"dst":"192.0.2.3","dev":"eth0","state":["INCOMPLETE"]},
{"dst":"192.0.2.9","dev":"eth0","state":["SOMETHING NEW"]},
{"dst":"192.0.2.10"},7,null]`;

describe('The neighbours of the kernel', () => {
  test('What ip prints is read, and an entry that is not understood is passed over', () => {
    const read = parseNeighbours(printed);
    expect(read).toEqual({
      ok: true,
      value: [
        { address: '192.0.2.1', device: 'eth0', state: 'unknown' },
        { address: '192.0.2.2', device: 'eth0', state: 'answers' },
        { address: 'fd00::1', device: 'eth0', state: 'silent' },
        { address: '192.0.2.3', device: 'eth0', state: 'silent' },
      ],
    });
  });

  test('A neighbour is looked for on its own device; one that nobody asked for yet is unknown', () => {
    const read = parseNeighbours(printed);
    const list = read.ok ? read.value : [];
    expect(neighbourState(list, 'eth0', 'FD00::1')).toBe('silent');
    expect(neighbourState(list, 'eth1', '192.0.2.2')).toBe('unknown');
    expect(neighbourState(list, 'eth0', '192.0.2.77')).toBe('unknown');
  });

  test.each(['', ' \n', '[ ]'])('Nothing printed (%j) is no neighbour', (text) => {
    expect(parseNeighbours(text)).toEqual({ ok: true, value: [] });
  });

  test.each(['{}', 'Error: nonsense', '"x"', '[{]'])('%s is a fault and no exception', (text) => {
    expect(parseNeighbours(text)).toMatchObject({ ok: false, fault: { code: 'TOOL_FAILED' } });
  });

  test('No text at all throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseNeighbours(text);
      }),
    );
  });
});
