import { describe, expect, test } from 'vitest';
import { LogRing, tee } from './log-ring.ts';
import { createLog } from './log.ts';

describe('the ring of log lines', () => {
  test('keeps the newest lines within its bytes and counts the others', () => {
    const ring = new LogRing(1000);
    for (let line = 0; line < 5000; line++) ring.write(`${String(line).padStart(99, '0')}\n`);
    expect(ring.lines().map(Number)).toEqual([4990, 4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999]);
    expect(ring.dropped).toBe(4990);
  });

  test('is not emptied by one line that is longer than itself', () => {
    const ring = new LogRing(1000);
    ring.write('first\n');
    ring.write(`${'x'.repeat(5000)}\n`);
    expect(ring.lines().map(({ length }) => length)).toEqual([5, 125]);
  });

  test('is fed by a log beside its other stream, each line whole', () => {
    const ring = new LogRing();
    const written: string[] = [];
    const log = createLog('info', 'agent', tee(ring, { write: (line) => written.push(line) }));
    log.info('The reader is ready', { reader: 'counter-1' });
    log.debug('not at this level');
    expect(ring.lines()).toEqual(written.map((line) => line.trimEnd()));
    expect(JSON.parse(ring.lines()[0] ?? '')).toMatchObject({
      msg: 'The reader is ready',
      reader: 'counter-1',
    });
  });
});
