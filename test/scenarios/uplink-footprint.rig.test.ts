import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';
import { memoryOf, memoryWords } from '#test/rigs/site/footprint.ts';
import { Site, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp } from '#test/rigs/site/trials.ts';
import { checkout } from '#test/rigs/stack.ts';

// `npm run bench -- uplink` measures longer, and processor time too.
const reason = requires({ test: 'the memory of the uplink', root: true, tools: uplinkTools });

describe.skipIf(reason !== undefined)('The uplink as it ships, with three uplinks probed', () => {
  const site = new Site({
    lines: [{ name: 'dsl' }, { name: 'lte', kind: 'lte' }, { name: 'sat', kind: 'satellite' }],
    program: [join(checkout, 'dist/bin/checkpost')],
    settings: { log: { level: 'info' } },
  });
  beforeAll(async () => {
    await site.start();
    await allUp(site);
  });
  afterAll(() => site.close());

  test('Outer and inner half together stay below 110 MiB resident', async () => {
    // Not for something to happen but for memory to be what it is in the long run.
    await pause(20_000);
    const memory = memoryOf(site);
    expect(memory.both.rss, memoryWords(memory)).toBeLessThan(110);
    // It really measured: no Node is that small.
    expect(memory.both.pss, memoryWords(memory)).toBeGreaterThan(20);
  });
});
