import {
  assign,
  type Assignment,
  chooseProfile,
  type Device,
  fitsOf,
  identityOf,
  isOffered,
} from '#agent/readers/index.ts';
import type { TerminalView } from '#contracts/officer.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { table } from './table.ts';

/** What is plugged in, and which reader of the settings each is. */
export interface Listing {
  readonly devices: readonly ListedDevice[];
  /** Without settings there are none to tell of. */
  readonly readers?: readonly ListedReader[];
}

export interface ListedDevice {
  /** What goes into the settings as `device`. */
  readonly device: string;
  readonly node: string;
  readonly kind: Device['kind'];
  readonly usb?: Device['usb'];
  /** Profiles that name its USB ids; without any, those that fit every device of its kind. */
  readonly profiles: readonly string[];
  readonly byIds: boolean;
  readonly reader?: string;
}

export interface ListedReader {
  readonly id: string;
  readonly device: string;
  readonly profile: string;
  /** There is no profile of this name: the agent does not start with it. */
  readonly profileUnknown?: true;
  readonly found: Assignment['kind'];
  readonly how?: string;
  /** Where it stands at this moment; several where that is ambiguous. */
  readonly nodes: readonly string[];
  /** As the running agent says; left out where it does not answer. */
  readonly state?: string;
  readonly about?: string;
}

export interface ListingParts {
  readonly devices: readonly Device[];
  readonly profiles: readonly ReaderProfile[];
  readonly settings?: AgentSettings | undefined;
  readonly agent?: TerminalView | undefined;
}

export function makeListing({ devices, profiles, settings, agent }: ListingParts): Listing {
  const assigned = settings === undefined ? undefined : assignAll(settings, devices);
  const readerOf = (device: Device): string | undefined =>
    [...(assigned ?? [])].find(
      ([, one]) =>
        (one.kind === 'found' && one.device === device) || (one.kind === 'path' && one.path === device.node),
    )?.[0];
  const listed = devices.flatMap((device): ListedDevice[] => {
    const reader = readerOf(device);
    if (reader === undefined && !isOffered(device, devices, profiles)) return [];
    const { byIds, byKind } = fitsOf(device, profiles);
    return [
      {
        device: identityOf(device, devices),
        node: device.node,
        kind: device.kind,
        ...(device.usb === undefined ? {} : { usb: device.usb }),
        profiles: [...byIds, ...byKind].map(({ name }) => name),
        byIds: byIds.length > 0,
        ...(reader === undefined ? {} : { reader }),
      },
    ];
  });
  if (settings === undefined) return { devices: listed };
  const readers = settings.readers.map(({ id, device, profile }): ListedReader => {
    const said = agent?.readers.find((one) => one.id === id);
    const about = said?.about;
    return {
      id,
      device,
      profile,
      ...(profiles.some(({ name }) => name === profile) ? {} : { profileUnknown: true as const }),
      ...placeOf(assigned?.get(id)),
      ...(said === undefined ? {} : { state: said.state }),
      ...(about === undefined || about === '' ? {} : { about }),
    };
  });
  return { devices: listed, readers };
}

/** As the agent does it; a reader whose profile is not known could be anything, and is looked for as a serial one. */
function assignAll(
  { readers, profiles }: AgentSettings,
  devices: readonly Device[],
): ReadonlyMap<string, Assignment> {
  const wanted = readers.map(({ id, device, replacement, profile }) => {
    const chosen = chooseProfile({ profile }, profiles);
    return { id, device, replacement, kind: chosen.ok ? chosen.value.link.kind : ('serial' as const) };
  });
  return assign(wanted, devices);
}

function placeOf(found: Assignment | undefined): Pick<ListedReader, 'found' | 'how' | 'nodes'> {
  switch (found?.kind) {
    case 'found':
      return { found: 'found', how: found.how, nodes: [found.device.node] };
    case 'path':
      return { found: 'path', nodes: [found.path] };
    case 'ambiguous':
      return { found: 'ambiguous', nodes: found.devices.map(({ node }) => node) };
    default:
      return { found: 'absent', nodes: [] };
  }
}

/** The listing for a person. */
export function listingWords({ devices, readers }: Listing): string {
  const plugged =
    devices.length === 0
      ? 'Nothing is plugged in that could be a reader: no serial port, no USB serial, HID or keyboard device.'
      : table(
          [
            'device',
            'now',
            'kind',
            'says',
            'profiles that fit',
            ...(readers === undefined ? [] : ['reader']),
          ],
          devices.map((one) => [
            one.device,
            one.node,
            one.kind,
            [one.usb?.maker, one.usb?.name].filter((text) => text !== undefined).join(', ') || '-',
            one.byIds ? one.profiles.join(', ') : `any ${one.kind} one`,
            ...(readers === undefined ? [] : [one.reader ?? '-']),
          ]),
        );
  if (readers === undefined) return plugged;
  if (readers.length === 0) return `${plugged}\n\nThe settings name no reader.`;
  const configured = table(
    ['reader', 'profile', 'state', 'where', 'about'],
    readers.map((one) => [
      one.id,
      one.profileUnknown === true ? `${one.profile} (there is none)` : one.profile,
      one.state ?? '?',
      whereWords(one),
      one.about ?? '-',
    ]),
  );
  return `${plugged}\n\n${configured}`;
}

function whereWords({ found, how, nodes, device }: ListedReader): string {
  switch (found) {
    case 'found':
      if (how === 'moved') return `${nodes.join()}, in another port than ${device}`;
      return how === 'replaced'
        ? `${nodes.join()}, another one of the model in place of ${device}`
        : nodes.join();
    case 'ambiguous':
      return `${device} fits ${nodes.join(', ')}: name it by its port`;
    case 'path':
      return nodes.join();
    case 'absent':
    default:
      return `${device} is not plugged in`;
  }
}
