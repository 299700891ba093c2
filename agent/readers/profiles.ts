import { Check, Clone, Default } from 'typebox/value';
import { type ReaderId, typedReader } from '#contracts/names.ts';
import { ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * The profiles that ship. What a maker's page or a reader on the table has shown is said in docs/readers.md, and what
 * is from memory; a site corrects or adds its own under `profiles` of the settings.
 */
/** Honeywell's escape commands, obeyed where the imager is set to Host ACK: good read, bad read, two beeps. */
const hostAck = { read: '1b372c', again: '1b382c', attention: '1b342c1b362c' };

/**
 * Nothing but silence ends what an imager sends. Longer than an adapter holds bytes back (16 ms), and short enough for an
 * answer within 100 ms.
 */
const imagerIdle = 40;

const honeywell = {
  family: 'honeywell',
  usb: [{ vendor: '0c2e' }],
  link: { kind: 'serial' },
  framing: { kind: 'lines', lastLineEnd: false },
  idleMillis: imagerIdle,
  signals: hostAck,
} as const;

const honeywellProtocol = (mode: 'continuous' | 'on-demand') => ({
  kind: 'listen',
  // SYN M CR, the menu command that switches OCR on until power-off, answered with ACK and its terminator.
  setup: [{ send: '164d0d6f6372656e613121', expect: '0621' }],
  trigger: { start: '16540d', stop: '16550d', mode },
});

const shipped = [
  {
    name: 'swipe',
    family: 'swipe',
    title: 'Swipe reader, lines ended by CR, CRLF or LF, with or without STX and ETX',
    link: { kind: 'serial' },
    framing: { kind: 'lines' },
    protocol: { kind: 'listen' },
  },
  {
    name: 'swipe-stx-bcc',
    family: 'swipe',
    title: 'Swipe reader, STX text ETX and a block check over text and ETX',
    link: { kind: 'serial' },
    framing: { kind: 'lines', blockCheck: 'text-etx' },
    protocol: { kind: 'listen' },
  },
  {
    name: 'access-is-ocr31x-serial',
    family: 'access-is',
    title: 'Access-IS OCR31x on a serial line or as a USB serial device',
    usb: [{ vendor: '0db5' }],
    link: { kind: 'serial' },
    framing: { kind: 'ocr31x' },
    protocol: { kind: 'listen' },
  },
  {
    name: 'access-is-ocr31x-usb',
    family: 'access-is',
    title: 'Access-IS OCR31x as a USB HID device',
    usb: [{ vendor: '0db5' }],
    link: { kind: 'hid' },
    framing: { kind: 'ocr31x' },
    protocol: { kind: 'listen' },
  },
  {
    name: 'thales-rte6701',
    family: 'rte6701',
    title: '3M or Thales RTE6701',
    link: { kind: 'serial' },
    framing: { kind: 'rte6701', blockCheck: 'text-etx' },
    protocol: { kind: 'listen' },
  },
  {
    name: 'elyctis-idbox',
    family: 'elyctis',
    title: 'Elyctis IDBOX',
    usb: [{ vendor: '2b78' }],
    link: { kind: 'serial', dtr: true },
    framing: { kind: 'elyctis' },
    protocol: { kind: 'elyctis' },
    can: { trigger: true },
  },
  {
    ...honeywell,
    name: 'honeywell-imager',
    title: 'Honeywell imager, always reading',
    protocol: honeywellProtocol('continuous'),
    can: { beep: true, light: true },
  },
  {
    ...honeywell,
    name: 'honeywell-imager-on-demand',
    title: 'Honeywell imager, reads when the officer asks for it',
    protocol: honeywellProtocol('on-demand'),
    can: { beep: true, light: true, trigger: true },
  },
  {
    name: 'keyboard-wedge',
    family: 'keyboard',
    title: 'Any reader that types like a USB keyboard',
    link: { kind: 'keyboard', layout: 'us' },
    framing: { kind: 'lines' },
    protocol: { kind: 'listen' },
  },
] as const;

/** Every profile that ships, whole, with its defaults filled in. */
export const builtInProfiles: readonly ReaderProfile[] = shipped.map((profile) => {
  const whole = Default(ReaderProfile, Clone(profile as unknown));
  if (!Check(ReaderProfile, whole))
    throw new TypeError(`the profile ${profile.name} does not fit its schema`);
  return whole;
});

/** What a reader's settings may change of its profile. */
export interface ProfileChoice {
  readonly profile: string;
  readonly baudRate?: number | undefined;
  readonly idleMillis?: number | undefined;
}

/** The profile that a reader's settings name, the site's own before those that ship. Fault: PROFILE_UNKNOWN. */
export function chooseProfile(choice: ProfileChoice, own: readonly ReaderProfile[]): Result<ReaderProfile> {
  const found = [...own, ...builtInProfiles].find(({ name }) => name === choice.profile);
  if (found === undefined) return fail('PROFILE_UNKNOWN', `${choice.profile} is none.`);
  const { baudRate, idleMillis } = choice;
  const link =
    baudRate !== undefined && found.link.kind === 'serial' ? { ...found.link, baudRate } : found.link;
  return ok({ ...found, link, idleMillis: idleMillis ?? found.idleMillis });
}

/** The profile of each reader; everything that is wrong is listed at once. Fault: SETTINGS_INVALID. */
export function chooseProfiles(
  readers: readonly (ProfileChoice & { readonly id: ReaderId; readonly device?: string })[],
  own: readonly ReaderProfile[],
): Result<ReadonlyMap<ReaderId, ReaderProfile>> {
  const profiles = new Map<ReaderId, ReaderProfile>();
  const devices = new Set<string>();
  const wrong = own.flatMap((profile, at) =>
    flawsOf(profile, own.slice(0, at)).map((flaw) => `profiles.${at}.${flaw}`),
  );
  for (const [at, reader] of readers.entries()) {
    const { id, device } = reader;
    const place = `readers.${at}`;
    if (id === typedReader)
      wrong.push(`${place}.id: ${id} stands for what officers type; choose another name`);
    if (profiles.has(id)) wrong.push(`${place}.id: ${id} is the name of another reader already`);
    if (device !== undefined && devices.has(device))
      wrong.push(`${place}.device: ${device} is another reader already`);
    if (device !== undefined) devices.add(device);
    const chosen = chooseProfile(reader, own);
    if (!chosen.ok) {
      const names = [...own, ...builtInProfiles].map(({ name }) => name).join(', ');
      wrong.push(`${place}.profile: found ${reader.profile}; allowed: one of ${names}`);
    } else {
      if (reader.baudRate !== undefined && chosen.value.link.kind !== 'serial')
        wrong.push(`${place}.baudRate: ${reader.profile} is no serial reader and has no speed`);
      profiles.set(id, chosen.value);
    }
  }
  return wrong.length === 0 ? ok(profiles) : fail('SETTINGS_INVALID', wrong.join('\n'));
}

/** What each member allows and all of them together do not. */
function flawsOf(profile: ReaderProfile, before: readonly ReaderProfile[]): string[] {
  const { name, link, framing, protocol, can } = profile;
  const flaws: string[] = [];
  if (before.some((other) => other.name === name)) flaws.push(`name: ${name} is another profile already`);
  if ((framing.kind === 'elyctis') !== (protocol.kind === 'elyctis'))
    flaws.push('protocol.kind: elyctis goes with the framing elyctis, and with no other');
  if (link.kind === 'keyboard' && framing.kind !== 'lines')
    flaws.push('framing.kind: a keyboard types lines');
  const obeys = protocol.kind === 'elyctis' || protocol.trigger !== undefined;
  if (can.trigger && !obeys) flaws.push('can.trigger: the protocol has no trigger');
  return flaws;
}
