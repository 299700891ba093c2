import type { ReaderId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { type BundleSources, makeBundle } from './bundle.ts';
import type { Action, Actions } from './ports.ts';
import { askForReboot } from './reboot.ts';
import { type UploadParts, uploadBundle } from './upload.ts';

/** What the commands are carried out with; each answers with words for the operator. */
export interface ActionPorts {
  readonly clock: Clock;
  /** Measures everything and sends a full report. */
  readonly report: (signal: AbortSignal) => Promise<Result<void>>;
  /** What a diagnostic bundle is made of, and where it goes. */
  readonly bundle: BundleSources;
  readonly upload: Omit<UploadParts, 'signal' | 'id' | 'bytes' | 'clock'>;
  /** Finds speed and framing of a reader, which is let go of meanwhile. */
  readonly probe: (reader: ReaderId, signal: AbortSignal) => Promise<Result<string>>;
  /** Ends the process in order; whoever supervises it starts it again. Resolves at once. */
  readonly restart: (why: 'command') => void;
  /** File that `checkpost-reboot.path` watches. */
  readonly rebootFile: string;
  /** Asks the helper of the uplink for new keys. */
  readonly rotate: (signal: AbortSignal) => Promise<Result<unknown>>;
  readonly rebuild: (signal: AbortSignal) => Promise<Result<string>>;
  readonly drill: () => Result<string>;
}

/** All actions on these ports. */
export function createActions(ports: ActionPorts): Actions {
  const { clock } = ports;
  const bundle: Action = async (_, signal, id) => {
    const made = await makeBundle(id, ports.bundle);
    if (!made.ok) return made;
    const bytes = made.value;
    const sent = await uploadBundle({ ...ports.upload, clock, id, bytes, signal });
    return sent.ok ? ok(`Bundle ${id} of ${bytes.length} bytes is at the centre.`) : sent;
  };
  return {
    'report-now': async (_, signal) => {
      const done = await ports.report(signal);
      return done.ok ? ok('A full report was sent.') : done;
    },
    'diagnostic-bundle': bundle,
    'reader-probe': (command, signal) =>
      command.kind === 'reader-probe'
        ? ports.probe(command.reader, signal)
        : Promise.resolve(fail('INTERNAL', 'It names no reader.')),
    'restart-agent': () => {
      // So that the answer "accepted" has left before the session ends.
      clock.after(ms(1000), () => ports.restart('command'));
      return Promise.resolve(ok('The agent is started again.'));
    },
    reboot: (_, signal) => askForReboot({ file: ports.rebootFile, clock, signal }),
    'rotate-keys': async (_, signal) => {
      const done = await ports.rotate(signal);
      if (done.ok) return ok('New keys are in force with the hubs, or are being brought into force.');
      return done.fault.code === 'UPLINK_ABSENT' ? fail('COMMAND_UNSUPPORTED', done.fault.detail) : done;
    },
    'rebuild-edition': (_, signal) => ports.rebuild(signal),
    'training-drill': () => Promise.resolve(ports.drill()),
  };
}
