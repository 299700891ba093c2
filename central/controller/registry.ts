import { readFile } from 'node:fs/promises';
import { type RegisteredTerminal, Registry } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { fileStamp, watchFile } from '#runtime/file-watch.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';

/** The terminals that are registered and not revoked, as the authority's file says at present. */
export interface WatchedRegistry {
  find(terminal: string): RegisteredTerminal | undefined;
  all(): readonly RegisteredTerminal[];
  close(): Promise<void>;
}

const every = ms(1000);

/**
 * Reads the registry and reads it again when the file changes. A bad new file is logged and the one before stays in
 * use: a slip at the authority must not make every terminal unknown. Faults at the start: FILE_REFUSED,
 * REGISTRY_INVALID.
 */
export async function watchRegistry(
  file: string,
  parts: { clock: Clock; log: Log; onChange: () => void },
): Promise<Result<WatchedRegistry>> {
  const from = await fileStamp(file);
  const first = await read(file);
  if (!first.ok) return first;
  let terminals = first.value;
  let said: string | undefined;
  const watch = watchFile({
    file,
    from,
    every,
    clock: parts.clock,
    changed: async () => {
      const next = await read(file);
      if (!next.ok) {
        const { fault } = next;
        if (fault.detail !== said)
          parts.log.error('The registry was refused; the one read before stays in use', faultFields(fault));
        said = fault.detail;
        return fault.code !== 'FILE_REFUSED';
      }
      said = undefined;
      terminals = next.value;
      parts.log.info('The registry was read again', { terminals: terminals.size });
      parts.onChange();
      return true;
    },
  });
  return ok({
    find: (terminal) => terminals.get(terminal),
    all: () => [...terminals.values()],
    close: () => watch.close(),
  });
}

async function read(file: string): Promise<Result<Map<string, RegisteredTerminal>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const registry = parseJson(Registry, text, 'REGISTRY_INVALID');
  if (!registry.ok)
    return fail('REGISTRY_INVALID', `${file}: ${registry.fault.detail}`, registry.fault.cause);
  const active = registry.value.terminals.filter((one) => one.revokedAt === undefined);
  return ok(new Map(active.map((one) => [one.terminal, one])));
}
