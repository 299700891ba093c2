import type { NamedSecret } from '#formats/keyed.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { EditionFolder, Generation } from './generation.ts';
import type { Held } from './install.ts';
import { openGeneration } from './open.ts';

/** What an earlier run of the agent has left. */
export interface Kept {
  /** Undefined where there is none that can be opened. */
  readonly held: Held | undefined;
  /** The generation before, whether it was opened or not. */
  readonly previous: Generation | undefined;
  /** The one that was in use cannot be opened. */
  readonly damaged: boolean;
  /** False where the filter has to be built again. */
  readonly filtered: boolean;
}

/** Opens the generation that was in use; where that is damaged, the one before. What is wrong is said in the log. */
export async function openKept(
  folder: EditionFolder,
  secrets: readonly NamedSecret[],
  log: Log,
): Promise<Kept> {
  const before = await folder.read(folder.previous);
  const previous = before.ok ? before.value : undefined;
  let damaged = false;
  for (const file of [folder.current, folder.previous]) {
    const generation = await folder.read(file);
    // The one before is for a damaged one; where somebody took the edition away, there is none.
    if (!generation.ok && generation.fault.code === 'EDITION_ABSENT') {
      log.warn('There is no edition', faultFields(generation.fault));
      break;
    }
    const opened = generation.ok ? await openGeneration(folder, generation.value, secrets) : generation;
    if (generation.ok && opened.ok) {
      const { edition, filtered } = opened.value;
      return { held: { generation: generation.value, edition }, previous, damaged, filtered };
    }
    damaged = true;
    if (!opened.ok) log.error('The edition that was kept cannot be opened', faultFields(opened.fault));
  }
  return { held: undefined, previous, damaged, filtered: true };
}
