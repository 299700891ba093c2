import type { ReaderProfile } from '#contracts/readers.ts';
import { table } from './table.ts';

/** The profiles for a person: how each talks, and what it can do. */
export function profilesWords(profiles: readonly ReaderProfile[]): string {
  return table(
    ['profile', 'family', 'link', 'can', 'for'],
    profiles.map((profile) => [
      profile.name,
      profile.family,
      linkWords(profile.link),
      canWords(profile),
      profile.title,
    ]),
  );
}

function linkWords(link: ReaderProfile['link']): string {
  if (link.kind === 'keyboard') return `keyboard, layout ${link.layout}`;
  if (link.kind === 'hid') return 'USB HID';
  const { baudRate, dataBits, parity, stopBits } = link;
  return `serial ${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;
}

function canWords({ can }: ReaderProfile): string {
  return (['beep', 'light', 'trigger'] as const).filter((what) => can[what]).join(', ') || '-';
}
