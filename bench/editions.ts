import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Figure, round } from './bench.ts';
import { writeSyntheticCsv } from './collection.ts';
import { benchAgentMemory } from './edition-agent.ts';
import { benchDelta } from './edition-delta.ts';
import { benchLookups, benchSize, benchTails, openBench } from './edition-lookups.ts';
import { benchLookAlikes } from './edition-look-alikes.ts';
import { makeMaterial, makeRivals } from './edition-material.ts';

/**
 * The offline copy of 23 million documents beside what a user would pick instead, in one run: look-ups, sizes, a day's
 * delta on a satellite line, memory and start of the agent.
 */
export const benchEditions: Bench = async ({ small, folder, say }) => {
  const count = small ? 200_000 : 23_000_000;
  const material = await makeMaterial(folder, count, small ? 20_000 : 100_000, say);
  const rivals = await makeRivals(material, folder, say);
  const { edition, filter, filterFile } = openBench(material, folder);
  const figures: Figure[] = [];
  say('look-ups');
  figures.push(...benchLookups(material, edition, rivals));
  const [sqlite] = rivals;
  if (sqlite !== undefined) figures.push(...benchTails(material, edition, sqlite));
  say('look-alikes');
  figures.push(...benchLookAlikes(material, edition));
  say('sizes');
  figures.push(...benchSize(material, filter));
  for (const rival of rivals) await rival.close();
  edition.close();
  figures.push(...(await benchDelta(material, folder, filterFile, say)));
  figures.push(...(await benchAgentMemory(material, folder, say, { residentMiB: 130 })));
  return figures;
};

/** The same at the size of a later day: what publishing takes, how large the base is, and what the terminal needs. */
export const benchLargeEdition: Bench = async ({ small, folder, say }) => {
  const count = small ? 1_000_000 : 150_000_000;
  say(`writing ${count} synthetic records`);
  writeSyntheticCsv(join(folder, 'synthetic.csv'), { seed: 1, count });
  const limits = { residentMiB: 350, publishSeconds: 900, publishMiB: 4096 };
  const figures = await benchAgentMemory({ count }, folder, say, limits);
  const bits = (statSync(join(folder, 'big-repository/state/1/base.fingerprints')).size * 8) / count;
  const limit = 64 - Math.log2(count) + 1.44;
  return [
    ...figures,
    { name: 'fingerprints', case: 'bits a document', value: round(bits), unit: 'bits' },
    { name: 'fingerprints', case: 'times the limit', value: round(bits / limit), unit: '×', target: 1.1 },
  ];
};
