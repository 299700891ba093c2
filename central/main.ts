import { ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { startConsole } from './console/index.ts';
import { startController } from './controller/index.ts';
import { startLookupService } from './lookup/index.ts';
import { createRepositoryHandler } from './publisher/index.ts';

/** What the centre is given from outside itself. */
export interface CentralParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly version: string;
  /** Folder of the built operators' page. */
  readonly pageDir: string;
}

export interface Central {
  readonly consoleUrl: string;
  readonly lookupUrl: string;
  close(): Promise<void>;
}

/**
 * The composition root of the centre: lookups first, since officers wait for them; then the controller, which needs no
 * broker to start; then the page that shows it. `close` stops them in the reverse order.
 */
export async function startCentral(settings: CentralSettings, parts: CentralParts): Promise<Result<Central>> {
  const { clock, random, log } = parts;
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  log.info('Starting', { version: parts.version });

  const repository = settings.editions?.repository;
  const lookup = await startLookupService(settings, {
    clock,
    log: log.with({ room: 'lookup' }),
    ...(repository !== undefined && { editions: createRepositoryHandler({ folder: repository }) }),
  });
  if (!lookup.ok) return lookup;
  closers.push(() => lookup.value.close());

  const controller = await startController(settings, {
    clock,
    random,
    log: log.with({ room: 'controller' }),
    lookups: () => lookup.value.counts(),
  });
  if (!controller.ok) {
    await stop();
    return controller;
  }
  closers.push(() => controller.value.close());

  const console = await startConsole({
    ...settings.console,
    source: controller.value,
    pageDir: parts.pageDir,
    log: log.with({ room: 'console' }),
    clock,
  });
  if (!console.ok) {
    await stop();
    return console;
  }
  closers.push(() => console.value.close());

  return ok({ consoleUrl: console.value.url, lookupUrl: lookup.value.url, close: stop });
}
