import { fail, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Edition } from '#formats/edition.ts';
import type { Clock } from '#runtime/clock.ts';
import { fileStamp, watchFile } from '#runtime/file-watch.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { type EditionKeys, openEdition } from './open.ts';

export interface WatchParts extends EditionKeys {
  /** Where the edition lies; a new one is put in its place by renaming over it. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Another edition, or none, is in use now. Never called before `watchEdition` has answered. */
  readonly onChange: () => void;
}

export interface EditionWatch {
  /** The edition in use, or undefined where there is none. */
  current(): Edition | undefined;
  close(): Promise<void>;
}

const lookEvery = ms(1000);

/**
 * Keeps the edition of a file in use: opens it at once, and again whenever another file stands there.
 *
 * - A new file that cannot be opened, or is older than the edition in use, is refused and reported; the edition in use
 *   stays. Whoever wants an older one removes the file first.
 * - A removed file is obeyed: somebody took the edition away, so there is none.
 */
export async function watchEdition(parts: WatchParts): Promise<EditionWatch> {
  const { file, log, clock } = parts;
  let current: Edition | undefined;
  let lastFault: string | undefined;

  /** Whether another edition, or none, is in use after it; `again` where the file could not be read. */
  const take = async (): Promise<'changed' | 'same' | 'again'> => {
    const opened = notOlder(current, await openEdition(file, parts));
    if (opened.ok) {
      current?.close();
      current = opened.value;
      const { version, date, count } = current.describe();
      lastFault = undefined;
      log.info('The edition is in use', { version, date, count });
      return 'changed';
    }
    const { fault } = opened;
    if (fault.code === 'EDITION_ABSENT') {
      const had = current !== undefined;
      current?.close();
      current = undefined;
      lastFault = undefined;
      log.warn('There is no edition', faultFields(fault));
      return had ? 'changed' : 'same';
    }
    const stays = current === undefined ? 'none is in use' : 'the one before stays in use';
    if (fault.detail !== lastFault) log.error(`The edition was refused; ${stays}`, faultFields(fault));
    lastFault = fault.detail;
    return fault.code === 'FILE_REFUSED' ? 'again' : 'same';
  };

  const from = await fileStamp(file);
  await take();
  let closed = false;
  const watch = watchFile({
    file,
    from,
    every: lookEvery,
    clock,
    changed: async () => {
      const taken = await take();
      if (taken === 'changed' && !closed) parts.onChange();
      return taken !== 'again';
    },
  });
  return {
    current: () => current,
    async close() {
      closed = true;
      await watch.close();
      current?.close();
      current = undefined;
    },
  };
}

function notOlder(current: Edition | undefined, opened: Result<Edition>): Result<Edition> {
  if (!opened.ok || current === undefined) return opened;
  const held = current.describe().version;
  const { version } = opened.value.describe();
  if (version >= held) return opened;
  opened.value.close();
  return fail('EDITION_OLDER', `It has version ${version}; version ${held} is in use.`);
}
