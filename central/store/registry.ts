import { readFile } from 'node:fs/promises';
import { type RegisteredSite, type RegisteredTerminal, Registry } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { fileStamp, watchFile } from '#runtime/file-watch.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';

/** The registry as it stands now. */
export interface RegistryWatch {
  /** The terminal, if this certificate is the one registered for it and it was not revoked; else TERMINAL_UNKNOWN. */
  admit(terminal: string, certificate: string): Result<RegisteredTerminal>;
  /** The terminal, if it is registered and not revoked. */
  find(terminal: string): RegisteredTerminal | undefined;
  /** All that are registered and not revoked. */
  all(): readonly RegisteredTerminal[];
  /** Every place that was given, and every other one that a terminal stands at; by id. */
  sites(): ReadonlyMap<string, RegisteredSite>;
  /** Calls back whenever it was read again; the answer ends it. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/** A terminal that was stolen must be shut out within a minute (DESIGN.md section 2, number 8): this is well below. */
const lookEvery = ms(1000);

/**
 * Reads the registry of terminals, and again whenever it changes. At the start a registry that is missing or damaged is
 * a fault (FILE_REFUSED, REGISTRY_INVALID); later it is reported, and the one read before stays in use: a slip at the
 * authority must not make every terminal unknown.
 */
export async function openRegistry(
  file: string,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<Result<RegistryWatch>> {
  const { clock, log } = parts;
  const from = await fileStamp(file);
  const first = await read(file);
  if (!first.ok) return first;
  let registry = first.value;
  let lastFault: string | undefined;
  const listeners = new Set<() => void>();
  const watch = watchFile({
    file,
    from,
    every: lookEvery,
    clock,
    changed: async () => {
      const again = await read(file);
      if (!again.ok) {
        const { fault } = again;
        if (fault.detail !== lastFault)
          log.error('The registry was refused; the one read before stays in use', faultFields(fault));
        lastFault = fault.detail;
        return fault.code !== 'FILE_REFUSED';
      }
      lastFault = undefined;
      registry = again.value;
      log.info('The registry was read again', { terminals: registry.active.size });
      for (const listener of listeners) listener();
      return true;
    },
  });
  return ok({
    admit(terminal, certificate) {
      const found = registry.byCertificate.get(certificate);
      if (found === undefined || found.terminal !== terminal) {
        return fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered with this certificate.`);
      }
      if (found.revokedAt !== undefined) {
        return fail('TERMINAL_UNKNOWN', `Terminal ${terminal} was revoked at ${found.revokedAt}.`);
      }
      return ok(found);
    },
    find: (terminal) => registry.active.get(terminal),
    all: () => registry.all,
    sites: () => registry.sites,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => watch.close(),
  });
}

interface Read {
  /** Revoked ones too, so that a refusal can say since when. */
  readonly byCertificate: ReadonlyMap<string, RegisteredTerminal>;
  readonly active: ReadonlyMap<string, RegisteredTerminal>;
  readonly all: readonly RegisteredTerminal[];
  readonly sites: ReadonlyMap<string, RegisteredSite>;
}

async function read(file: string): Promise<Result<Read>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const parsed = parseJson(Registry, text, 'REGISTRY_INVALID');
  if (!parsed.ok) return fail('REGISTRY_INVALID', `${file}: ${parsed.fault.detail}`, parsed.fault.cause);
  const { terminals } = parsed.value;
  const active = terminals.filter((one) => one.revokedAt === undefined);
  return ok({
    byCertificate: new Map(terminals.map((one) => [one.certificate, one])),
    active: new Map(active.map((one) => [one.terminal, one])),
    all: active,
    sites: sitesOf(parsed.value.sites ?? [], active),
  });
}

/** A site that only terminals name (in a registry of an earlier release) has no place on the map. */
function sitesOf(
  given: readonly RegisteredSite[],
  terminals: readonly RegisteredTerminal[],
): ReadonlyMap<string, RegisteredSite> {
  const sites = new Map(given.map((one) => [one.site, one]));
  for (const { site, bureau, siteName } of terminals) {
    if (sites.has(site)) continue;
    sites.set(site, { site, bureau, name: siteName, timeZone: null, latitude: null, longitude: null });
  }
  return sites;
}
