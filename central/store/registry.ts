import { readFile } from 'node:fs/promises';
import { Registry, type RegisteredTerminal } from '#contracts/registry.ts';
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
  close(): Promise<void>;
}

/** A terminal that was stolen must be shut out within a minute (DESIGN.md section 2, number 8): this is well below. */
const lookEvery = ms(1000);

/**
 * Reads the registry of terminals, and again whenever it changes. At the start a registry that is missing or damaged is
 * a fault (FILE_REFUSED, REGISTRY_INVALID); later it is reported, and the one read before stays in use.
 */
export async function openRegistry(
  file: string,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<Result<RegistryWatch>> {
  const { clock, log } = parts;
  const from = await fileStamp(file);
  const first = await read(file);
  if (!first.ok) return first;
  let byCertificate = first.value;
  let lastFault: string | undefined;
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
      byCertificate = again.value;
      log.info('The registry was read again', { terminals: byCertificate.size });
      return true;
    },
  });
  return ok({
    admit(terminal, certificate) {
      const found = byCertificate.get(certificate);
      if (found === undefined || found.terminal !== terminal) {
        return fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered with this certificate.`);
      }
      if (found.revokedAt !== undefined) {
        return fail('TERMINAL_UNKNOWN', `Terminal ${terminal} was revoked at ${found.revokedAt}.`);
      }
      return ok(found);
    },
    close: () => watch.close(),
  });
}

async function read(file: string): Promise<Result<ReadonlyMap<string, RegisteredTerminal>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const parsed = parseJson(Registry, text, 'REGISTRY_INVALID');
  if (!parsed.ok) return fail('REGISTRY_INVALID', `${file}: ${parsed.fault.detail}`, parsed.fault.cause);
  return ok(new Map(parsed.value.terminals.map((terminal) => [terminal.certificate, terminal])));
}
