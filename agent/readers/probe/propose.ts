import { isDeepStrictEqual } from 'node:util';
import type { ReaderProfile } from '#contracts/readers.ts';
import { fitsOf } from '../devices/fits.ts';
import type { Device } from '../devices/device.ts';
import type { Conclusion } from './conclusion.ts';
import { type Line, sameLine } from './line.ts';
import type { Wrapping } from './recognise.ts';

/** What goes into the agent's settings for the reader that was found. */
export interface Proposal {
  /** One that there is already, or a new one for `profiles`. */
  readonly profile: ReaderProfile;
  readonly isNew: boolean;
  /** For `readers`; its id is the engineer's to choose. */
  readonly reader: {
    readonly id: string;
    readonly device: string;
    readonly profile: string;
    /** Where it is the only thing that the profile does not say. */
    readonly baudRate?: number;
  };
}

/** Which profile goes with what was found; undefined where nothing was. */
export function propose(
  conclusion: Conclusion,
  device: Device,
  identity: string,
  profiles: readonly ReaderProfile[],
): Proposal | undefined {
  if (conclusion.kind === 'answers') {
    return fit({ kind: 'elyctis' }, conclusion.line, device, identity, profiles);
  }
  if (conclusion.kind !== 'found') return undefined;
  return fit(conclusion.wrapping.framing, conclusion.line, device, identity, profiles);
}

function fit(
  framing: Wrapping['framing'],
  line: Line,
  device: Device,
  identity: string,
  profiles: readonly ReaderProfile[],
): Proposal {
  const { byIds } = fitsOf(device, profiles);
  const others = profiles.filter((profile) => profile.link.kind === 'serial' && isPassive(profile));
  const candidates = [...byIds, ...others].filter((profile) => isDeepStrictEqual(profile.framing, framing));
  const reader = (profile: string) => ({ id: 'counter-1', device: identity, profile });
  const exact = candidates.find(({ link }) => link.kind === 'serial' && sameLine(link, line));
  if (exact !== undefined) return { profile: exact, isNew: false, reader: reader(exact.name) };
  const { baudRate } = line;
  const other = candidates.find(
    ({ link }) => link.kind === 'serial' && sameLine({ ...link, baudRate }, line),
  );
  if (other !== undefined) {
    return { profile: other, isNew: false, reader: { ...reader(other.name), baudRate } };
  }
  const made = makeProfile(framing, line, profiles);
  return { profile: made, isNew: true, reader: reader(made.name) };
}

/** Sends nothing of its own, unless it is what the reader's own framing asks for. */
function isPassive({ protocol }: ReaderProfile): boolean {
  return protocol.kind === 'elyctis' || (protocol.setup.length === 0 && protocol.trigger === undefined);
}

function makeProfile(
  framing: Wrapping['framing'],
  line: Line,
  profiles: readonly ReaderProfile[],
): ReaderProfile {
  const family = { lines: 'swipe', ocr31x: 'access-is', rte6701: 'rte6701', elyctis: 'elyctis' } as const;
  const like = profiles.find(
    (profile) =>
      profile.framing.kind === framing.kind && profile.link.kind === 'serial' && isPassive(profile),
  );
  const { baudRate, dataBits, parity, stopBits } = line;
  const format = `${dataBits}${parity.charAt(0)}${stopBits}`;
  const check = 'blockCheck' in framing && framing.blockCheck !== 'none' ? ['bcc'] : [];
  const free = (name: string, count = 1): string => {
    const full = count === 1 ? name : `${name}-${count}`;
    return profiles.some((profile) => profile.name === full) ? free(name, count + 1) : full;
  };
  return {
    name: free([family[framing.kind], baudRate, format, ...check].join('-')),
    family: family[framing.kind],
    title: `Found on this terminal: ${baudRate} baud, ${format.toUpperCase()}`,
    usb: [],
    link: { kind: 'serial', baudRate, dataBits, parity, stopBits, dtr: true },
    framing,
    protocol: framing.kind === 'elyctis' ? { kind: 'elyctis' } : { kind: 'listen', setup: [] },
    signals: {},
    can: like?.can ?? { beep: false, light: false, trigger: false },
    idleMillis: like?.idleMillis ?? 300,
    repeatMillis: like?.repeatMillis ?? 1000,
  };
}
