import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAgent } from './agent.ts';
import { type Bench, machine, table } from './bench.ts';
import { benchEditions, benchLargeEdition } from './editions.ts';
import { benchFleet } from './fleet.ts';
import { benchReaders } from './readers.ts';
import { benchUplink } from './uplink.ts';

/** `npm run bench -- NAME [--small] [--json]`: the one way to run every benchmark. */
const benches: Readonly<Record<string, { title: string; run: Bench }>> = {
  agent: { title: 'frame to verdict with its breakdown, memory, idle, start', run: benchAgent },
  editions: {
    title: 'the offline copy beside SQLite, lmdb and a Bloom filter: look-ups, sizes, a day’s delta, memory',
    run: benchEditions,
  },
  'editions-large': {
    title: 'the same with 150 million documents: publishing, size, memory',
    run: benchLargeEdition,
  },
  fleet: {
    title:
      'thousands of played terminals on one controller, SQLite and PostgreSQL: latency, load, recovery (--terminals N, --minutes N, --store NAME)',
    run: benchFleet,
  },
  readers: { title: 'bytes of a reader to a travel document, family by family', run: benchReaders },
  uplink: {
    title:
      'loss of an uplink and of a hub, beside the loop of mwan3’s tracker; memory and CPU of both halves',
    run: benchUplink,
  },
};

const { values, positionals } = parseArgs({
  options: {
    small: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
    terminals: { type: 'string' },
    minutes: { type: 'string' },
    store: { type: 'string' },
  },
  allowPositionals: true,
});
const chosen = benches[positionals[0] ?? ''];
if (chosen === undefined || values.help === true) {
  const list = Object.entries(benches).map(([name, { title }]) => `  ${name}  ${title}`);
  process.stdout.write(`Usage: npm run bench -- NAME [--small] [--json]\n\n${list.join('\n')}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-bench-'));
  try {
    const figures = await chosen.run({
      small: values.small === true,
      ...(values.terminals !== undefined && { terminals: Number(values.terminals) }),
      ...(values.store !== undefined && { store: values.store }),
      ...(values.minutes !== undefined && { minutes: Number(values.minutes) }),
      folder,
      say: (text) => process.stderr.write(`bench: ${text}\n`),
    });
    if (values.json === true) {
      process.stdout.write(
        figures.map((figure) => `${JSON.stringify({ ...figure, machine: machine() })}\n`).join(''),
      );
    } else {
      process.stdout.write(
        `${Object.entries(machine())
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}\n\n${table(figures)}\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
