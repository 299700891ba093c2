import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import type { Result } from '#contracts/result.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { parseJson } from '#runtime/parse.ts';
import { namesIn, numberOf } from './sysfs.ts';

/** What the run before left in the state folder. */
const LastRun = Type.Object(
  {
    boot: Type.String({ maxLength: 64 }),
    /** Whether it was stopped in order. */
    orderly: Type.Boolean(),
    /** Whether its boot came unexpectedly: a restart of the agent alone does not forget that. */
    unexpected: Type.Boolean(),
  },
  { additionalProperties: false },
);
type LastRun = Static<typeof LastRun>;

/**
 * Whether this boot came unexpectedly: another boot, and the run before was not stopped in order. A crash of the agent
 * alone leaves the boot as it is; a terminal that has never run expects everything.
 */
export function cameUnexpectedly(last: LastRun | undefined, boot: string): boolean {
  if (last === undefined) return false;
  return last.boot === boot ? last.unexpected : !last.orderly;
}

/** Keeps in the state folder whether the agent was stopped in order. */
export class StartKeeper {
  readonly #file: string;
  readonly #boot: string;
  #unexpected = false;

  constructor(parts: { stateFolder: string; boot: string }) {
    this.#file = join(parts.stateFolder, 'last-run.json');
    this.#boot = parts.boot;
  }

  /** Whether this boot came unexpectedly. */
  get unexpected(): boolean {
    return this.#unexpected;
  }

  /** Reads what the run before left, and notes that this one runs. Fault: FILE_REFUSED. */
  async begin(): Promise<Result<void>> {
    const text = await readFile(this.#file, 'utf8').catch(() => undefined);
    const last = text === undefined ? undefined : parseJson(LastRun, text, 'FILE_REFUSED');
    this.#unexpected = cameUnexpectedly(last?.ok === true ? last.value : undefined, this.#boot);
    return this.#write(false);
  }

  /** Notes that this run is stopped in order. Fault: FILE_REFUSED. */
  end(): Promise<Result<void>> {
    return this.#write(true);
  }

  #write(orderly: boolean): Promise<Result<void>> {
    const run: LastRun = { boot: this.#boot, orderly, unexpected: this.#unexpected };
    return replaceFile(this.#file, Buffer.from(`${JSON.stringify(run)}\n`), 0o600);
  }
}

/** WDIOF_CARDRESET of linux/watchdog.h: this boot is a reset by the watchdog. */
const cardReset = 0x20;

/** Whether the watchdog caused this boot; false where it does not tell. */
export async function watchdogCaused(sys: string): Promise<boolean> {
  const folder = join(sys, 'class/watchdog');
  const words = await Promise.all(
    (await namesIn(folder)).map((name) => numberOf(join(folder, name, 'bootstatus'))),
  );
  return words.some((word) => ((word ?? 0) & cardReset) !== 0);
}
