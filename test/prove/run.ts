import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { proveDifferential } from './differential.ts';
import { proveEditionKills } from './edition-kills.ts';
import { proveFleet } from './fleet.ts';
import { proveFuzz } from './fuzz.ts';
import { proveKills } from './kills.ts';
import { proveLineCost } from './line-cost.ts';
import type { ProofOptions } from './proof.ts';
import { proveUplink } from './uplink.ts';

/**
 * `npm run prove -- NAME [--count N] [--seed S]`: the long proofs, of which `npm test` runs a sample. Each prints the
 * counts that it saw as one JSON object, and the seed to see the same again.
 */
const proofs: Readonly<
  Record<string, { title: string; count: number; prove: (options: ProofOptions) => Promise<object> }>
> = {
  kills: {
    title: 'kill each of agent, broker and controller at random moments under a stream of hits',
    count: 200,
    prove: proveKills,
  },
  editions: {
    title: 'kill a terminal at random moments while deltas are applied and a base is made',
    count: 1000,
    prove: proveEditionKills,
  },
  differential: {
    title: 'compare generated documents with the npm package mrz, field by field',
    count: 100_000,
    prove: proveDifferential,
  },
  uplink: {
    title: 'loss and planned switch of uplink and hub, new keys, a black hole: how long traffic stands still',
    count: 20,
    prove: proveUplink,
  },
  'line-cost': {
    title:
      'what a terminal costs on its line: idle day, busy day, metered month; captured for so many seconds',
    count: 120,
    prove: proveLineCost,
  },
  fleet: {
    title: 'two controllers share a fleet on PostgreSQL, one of them killed under load',
    count: 20,
    prove: proveFleet,
  },
  fuzz: {
    title: 'fuzzed frames through every framing: no throw, no false document beyond chance, memory flat',
    count: 10_000_000,
    prove: proveFuzz,
  },
};

const { values, positionals } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' } },
  allowPositionals: true,
});
const proof = proofs[positionals[0] ?? ''];
if (proof === undefined || values.help === true) {
  const list = Object.entries(proofs).map(([name, { title, count }]) => `  ${name}  ${title} (${count})`);
  process.stdout.write(`Usage: npm run prove -- NAME [--count N] [--seed S]\n\n${list.join('\n')}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-prove-'));
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const options = {
    count: Number(values.count ?? proof.count),
    seed,
    folder,
    say: (text: string) => process.stderr.write(`${text}\n`),
  };
  try {
    process.stdout.write(
      `${JSON.stringify({ proof: positionals[0], seed, ...(await proof.prove(options)) })}\n`,
    );
    rmSync(folder, { recursive: true, force: true });
  } catch (thrown) {
    process.stderr.write(`seed ${seed}; everything that was written is in ${folder}\n`);
    throw thrown;
  }
}
