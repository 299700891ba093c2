import { readDocument } from '#agent/documents/index.ts';
import { searchKey } from '#contracts/search-key.ts';
import type { Edition } from '#formats/edition/index.ts';
import { plainPassport, writeMrz } from '#test/rigs/mrz.ts';
import { type Figure, round } from './bench.ts';
import type { Material } from './edition-material.ts';
import { found } from './edition-lookups.ts';

const today = { year: 2026, month: 11, day: 25 };

/**
 * How often a passport that is not recorded would be called `possible`, since one of the numbers that its check digit
 * cannot tell from its own is recorded: what an officer has to live with for the hits that a misread number would cost.
 */
export function benchLookAlikes(material: Material, edition: Edition): Figure[] {
  let asked = 0;
  let numbers = 0;
  let possible = 0;
  for (const key of material.missing) {
    const [state = '', number = ''] = key.split('|');
    if (number.length > 9) continue;
    const lines = writeMrz({ ...plainPassport, state, number });
    const reading = readDocument(Buffer.from(`${lines.join('\r')}\r`), today);
    if (reading.kind !== 'document') continue;
    asked++;
    const { documentNumber, variants } = reading.document;
    const others = variants.filter((variant) => variant !== documentNumber);
    numbers += others.length;
    const isPossible = others.some((variant) => {
      const other = searchKey(state, variant);
      return other !== undefined && found(edition, other);
    });
    if (isPossible) possible++;
  }
  return [
    {
      name: 'look-alikes',
      case: `of ${asked} unrecorded passports, each`,
      value: round(numbers / asked),
      unit: 'count',
    },
    {
      name: 'look-alikes',
      case: 'passports called possible',
      value: round((possible / asked) * 100),
      unit: '%',
    },
  ];
}
