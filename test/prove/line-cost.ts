import { LineMeter } from '../rigs/line/line-meter.ts';
import { measurePieces } from '../rigs/line/pieces.ts';
import { predict } from '../rigs/line/predict.ts';
import { costOf, profiles } from '../rigs/line/profiles.ts';
import { type CostTable, printed } from '../rigs/line/table.ts';
import type { ProofOptions } from './proof.ts';

/** Bounds in bytes. */
export const bounds = {
  /** PUBLISH packets of a terminal and an idle day. */
  published: 150_000,
  /** The whole session of an idle day, with TLS, TCP and IP. */
  session: 1_500_000,
  /** Everything but editions in a month of the metered profile, inside of the tunnel, with the probes of the uplink. */
  metered: 10_000_000,
  /** Of that, what the probes of a metered uplink may cost (setting probe.meteredBytesPerMonth). */
  uplinkProbes: 5_000_000,
} as const;

/** How far the sum of the pieces may be from a capture of the whole. */
export const tolerance = 0.05;

export function broken(tables: Readonly<Partial<Record<keyof typeof profiles, CostTable>>>): string[] {
  const { idle, metered } = tables;
  return [
    ...(idle !== undefined && idle.published > bounds.published ? ['published on an idle day'] : []),
    ...(idle !== undefined && idle.session.bytes > bounds.session ? ['session of an idle day'] : []),
    ...(metered !== undefined && metered.all.tunnelled + bounds.uplinkProbes > bounds.metered
      ? ['month of the metered profile']
      : []),
  ];
}

/** What a terminal costs on its line: prices by capture, `count` seconds of a whole session to check their sum, days. */
export async function proveLineCost({ count, seed, folder, say }: ProofOptions): Promise<object> {
  const meter = await LineMeter.open(folder);
  try {
    say('capturing each thing once');
    const pieces = await measurePieces(meter, folder);
    for (const [name, { bytes, packets, tunnelled }] of Object.entries(pieces) as [
      string,
      typeof pieces.ping,
    ][])
      say(
        `  ${name.padEnd(12)}${bytes.toFixed(0).padStart(8)} B${packets.toFixed(1).padStart(7)} packets${tunnelled.toFixed(0).padStart(8)} B in the tunnel`,
      );
    say(`capturing a whole session for ${count} s`);
    const check = await predict(meter, pieces, { seconds: count, folder });
    say(`  ${JSON.stringify(check)}`);
    const tables: Partial<Record<keyof typeof profiles, CostTable>> = {};
    for (const [name, profile] of Object.entries(profiles) as [
      keyof typeof profiles,
      typeof profiles.idle,
    ][]) {
      tables[name] = await costOf(profile, pieces, meter.settings, seed);
      say(printed(`${name}, ${profile.hours} hours, ${profile.reads} reads a day`, tables[name]));
    }
    const off = Math.abs(check.captured - check.predicted) / check.captured;
    const wrong = [...broken(tables), ...(off > tolerance ? ['the sum of the pieces'] : [])];
    if (wrong.length > 0) throw new Error(`out of bounds: ${wrong.join(', ')}`);
    return {
      ...check,
      bytes: Object.fromEntries(
        Object.entries(tables).map(([name, { published, session, all }]) => [
          name,
          {
            published,
            session: Math.round(session.bytes),
            all: Math.round(all.bytes),
            tunnelled: Math.round(all.tunnelled),
          },
        ]),
      ),
    };
  } finally {
    await meter.close();
  }
}
