import { availableParallelism } from 'node:os';
import type { Bench, Figure } from './bench.ts';
import { benchAgentMemory } from './edition-agent.ts';
import { benchDelta } from './edition-delta.ts';
import { benchLookups, benchSize, benchTails, openBench } from './edition-lookups.ts';
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
  say('sizes');
  figures.push(...benchSize(material, filter));
  for (const rival of rivals) await rival.close();
  edition.close();
  figures.push(...(await benchDelta(material, folder, filterFile, say)));
  figures.push(...(await benchAgentMemory(material, folder, say)));
  figures.push({ name: 'machine', case: 'cores', value: availableParallelism(), unit: 'count' });
  return figures;
};
