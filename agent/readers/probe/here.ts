import type { ReaderId } from '#contracts/names.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { scanDevices } from '../devices/scan.ts';
import { openSerialLink } from '../links/serial.ts';
import { propose } from './propose.ts';
import { runProbe } from './run.ts';
import { probeTarget } from './target.ts';

export interface ProbeHereParts {
  readonly reader: ReaderId;
  /** Its device, as the settings name it. */
  readonly device: string;
  /** Lets go of the device while `work` runs, and takes it again however that ends. */
  readonly apart: <T>(work: () => Promise<T>) => Promise<T>;
  readonly profiles: readonly ReaderProfile[];
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Somebody at the counter must put a document on the reader in this time. */
const patience = ms(25_000);

/** Probes a reader that this agent has open: what was found and the profile that fits, as JSON for the operator. */
export async function probeHere(parts: ProbeHereParts): Promise<Result<string>> {
  const { clock, log, reader, signal } = parts;
  // While it is known where it stands: a reader that is let go of may be renumbered.
  const target = probeTarget(parts.device, scanDevices());
  if (!target.ok)
    return target.fault.code === 'USAGE' ? fail('COMMAND_UNSUPPORTED', target.fault.detail) : target;
  const { device, identity } = target.value;
  const found = await parts.apart(() =>
    runProbe({
      clock,
      patience,
      signal,
      open: (link, listener) => openSerialLink(device.node, link, listener, clock),
      say: (text) => log.info(text, { reader }),
    }),
  );
  if (!found.ok) return found;
  if (found.value === undefined) return fail('STOPPED', 'The probe was stopped.');
  return ok(
    JSON.stringify({ ...found.value, proposal: propose(found.value, device, identity, parts.profiles) }),
  );
}
