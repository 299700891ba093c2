import type { RegisteredSite } from '#contracts/registry.ts';

/**
 * Made-up sites of made-up bureaus, by a seed: the same seed is the same fleet. The bureaus' codes are those that
 * ISO 3166-1 leaves to users (XAA to XXZ), and the specimen state UTO; the places lie where a map of Central Asia has
 * space, and none of them exists.
 */
export interface MadeUpTerminal {
  readonly terminal: string;
  readonly bureau: string;
  readonly site: string;
  readonly siteName: string;
}

export interface MadeUpFleet {
  readonly sites: readonly RegisteredSite[];
  readonly terminals: readonly MadeUpTerminal[];
}

/** Bureaus with the frame in which their sites lie (degrees: west, south, east, north) and their time zone. */
const bureaus = [
  { code: 'XAA', frame: [52, 43, 74, 51], zone: 'Asia/Almaty' },
  { code: 'XAB', frame: [70, 39.6, 79, 42.6], zone: 'Asia/Bishkek' },
  { code: 'XAC', frame: [68, 37.3, 72.5, 39.4], zone: 'Asia/Dushanbe' },
  { code: 'XAD', frame: [54, 36.5, 64.5, 41.5], zone: 'Asia/Ashgabat' },
  { code: 'UTO', frame: [59, 40.5, 70.5, 43.5], zone: 'Asia/Tashkent' },
] as const;

/** Below it are the sites of whoever has real ones in one of these bureaus. */
const firstNumber = 101;

const first = [
  'Upper',
  'Lower',
  'Old',
  'New',
  'Red',
  'White',
  'Black',
  'Long',
  'Stone',
  'Salt',
  'North',
  'South',
];
const second = [
  'Bridge',
  'Pass',
  'Gate',
  'Ferry',
  'Wells',
  'Mill',
  'Ford',
  'Tower',
  'Steppe',
  'Ridge',
  'Spring',
];
const kinds = ['crossing', 'station', 'airport', 'rail post', 'police post'];

/** `sites` places, spread over the bureaus in turn, with `terminals` terminals spread over the sites in turn. */
export function makeUpFleet(order: {
  readonly sites: number;
  readonly terminals: number;
  readonly random: () => number;
}): MadeUpFleet {
  const { random } = order;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const sites: RegisteredSite[] = [];
  for (let n = 0; n < order.sites; n++) {
    const { code, frame, zone } = bureaus[n % bureaus.length] as (typeof bureaus)[number];
    const [west, south, east, north] = frame;
    const number = Math.floor(n / bureaus.length) + firstNumber;
    sites.push({
      site: `${code}-${String(number).padStart(4, '0')}`,
      bureau: code,
      name: `${pick(first)} ${pick(second)} ${pick(kinds)}`,
      timeZone: zone,
      latitude: Math.round((south + random() * (north - south)) * 1e4) / 1e4,
      longitude: Math.round((west + random() * (east - west)) * 1e4) / 1e4,
    });
  }
  const terminals = Array.from({ length: order.terminals }, (_, n): MadeUpTerminal => {
    const { site, bureau, name } = sites[n % sites.length] as RegisteredSite;
    return {
      terminal: `${site}-${Math.floor(n / sites.length) + 1}`,
      bureau,
      site,
      siteName: name,
    };
  });
  return { sites, terminals };
}
