import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { fileStamp, watchFile } from '#runtime/file-watch.ts';
import { listen } from '#runtime/listen.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { CollectionStore, openRegistries } from '../store/index.ts';
import { BundleReceiver } from './bundles.ts';
import { type BundleStore, bundlesFolder } from './bundle-store.ts';
import { Refusals } from './refusals.ts';
import { closeServer, createTlsServer, listenable, readTlsFiles } from './server.ts';
import { type EditionsHandler, LookupHandler } from './service.ts';

export interface LookupCounts {
  /** Lookups that were answered since the start. */
  readonly lookups: number;
  /** Requests and connections that were refused since the start. */
  readonly refused: number;
  /** Times that the collection's file was refused since the start. */
  readonly collectionRefused: number;
  /** Version and number of records of the collection that answers come from. */
  readonly collectionVersion: number;
  readonly records: number;
  /** When it was made; undefined where there is none. */
  readonly collectionDate: string | undefined;
}

export interface LookupService {
  readonly url: string;
  /** Diagnostic bundles that terminals have sent. */
  readonly bundles: BundleStore;
  counts(): LookupCounts;
  close(): Promise<void>;
}

const lookEvery = ms(1000);

/**
 * Starts the lookup service: loads the collection, reads the registry, listens. While it runs, both files are read again
 * when they change. Faults: those of its files (CREDENTIAL_UNREADABLE, CERTIFICATE_EXPIRED, FILE_REFUSED,
 * REGISTRY_INVALID), COLLECTION_INVALID where nothing was loaded before, STORE_…, FILE_REFUSED of the folder of bundles, PORT_IN_USE, ADDRESS_REFUSED.
 */
export async function startLookupService(
  settings: CentralSettings,
  parts: { readonly clock: Clock; readonly log: Log; readonly editions?: EditionsHandler },
): Promise<Result<LookupService>> {
  const { clock, log, editions } = parts;
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of closers.splice(0).reverse()) await stop();
  };
  const refuse = async <T>(result: T): Promise<T> => {
    await close();
    return result;
  };

  const tls = await readTlsFiles(settings.tls, clock.wall());
  if (!tls.ok) return tls;
  const opened = CollectionStore.open(join(settings.state, 'collection.db'));
  if (!opened.ok) return opened;
  const store = opened.value;
  closers.push(() => store.close());
  if (store.begunAnew) {
    log.error('The database of the collection was damaged and is made anew', { code: 'STORE_CORRUPT' });
  }

  const collection = await keepLoaded(store, settings.lookup.collection, clock, log);
  closers.push(() => collection.close());
  const { firstFault } = collection;
  if (firstFault !== undefined && store.state() === undefined) return refuse(firstFault);
  const registry = await openRegistries(settings, parts);
  if (!registry.ok) return refuse(registry);
  closers.push(() => registry.value.close());

  const bundles = await BundleReceiver.open({
    folder: bundlesFolder(settings.state),
    budget: settings.bundles.budgetBytes,
    clock,
    log,
  });
  if (!bundles.ok) return refuse(bundles);

  const refusals = new Refusals(clock, log);
  const server = createTlsServer(tls.value, (why) => {
    refusals.add(
      'A connection was refused',
      fail('CERTIFICATE_REFUSED', `The handshake failed: ${why}.`).fault,
    );
  });
  if (!server.ok) return refuse(server);
  const handler = new LookupHandler({
    store,
    registry: registry.value,
    clock,
    refusals,
    bundles: bundles.value,
    ...(editions !== undefined && { editions }),
  });
  server.value.on('request', (request, response) => void handler.handle(request, response));
  const { host, port } = settings.lookup;
  const listening = await listen(listenable(server.value), { host, port });
  if (!listening.ok) return refuse(listening);
  closers.push(() => closeServer(server.value, clock));
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${listening.value}`;
  log.info('The lookup service answers', { url });
  return ok({
    url,
    bundles: bundles.value.store,
    counts: () => ({
      lookups: handler.answered,
      refused: refusals.count,
      collectionRefused: collection.refused(),
      collectionVersion: store.state()?.version ?? 0,
      records: store.state()?.count ?? 0,
      collectionDate: store.state()?.date,
    }),
    close,
  });
}

/** Loads the collection now, and again whenever its file has changed and is no longer being written. */
async function keepLoaded(store: CollectionStore, file: string, clock: Clock, log: Log) {
  let refused = 0;
  let lastFault: string | undefined;
  const load = async () => {
    const loaded = await store.load(file, clock.wall());
    if (!loaded.ok) {
      if (loaded.fault.detail !== lastFault) {
        refused++;
        log.error('The collection was refused; what was loaded before stays', faultFields(loaded.fault));
      }
      lastFault = loaded.fault.detail;
      return loaded;
    }
    lastFault = undefined;
    const { version = 0, date = '', count = 0 } = store.state() ?? {};
    log.info(`The collection is ${loaded.value}`, { version, date, count });
    return undefined;
  };
  const from = await fileStamp(file);
  const firstFault = await load();
  const watch = watchFile({
    file,
    from,
    every: lookEvery,
    clock,
    still: true,
    changed: async () => {
      const refusal = await load();
      // A wrong file stays wrong until it is another; a disk that was full, or a file out of reach, may come back.
      return refusal === undefined || refusal.fault.code === 'COLLECTION_INVALID';
    },
  });
  return { firstFault, refused: () => refused, close: () => watch.close() };
}
