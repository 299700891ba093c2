/** How made-up collections are spread over issuers, types, kinds, days and forms of numbers; nothing here is of a real one. */

/** Issuers as an MRZ names them, the one with most records first; the last few are no states. */
export const issuers = (
  'FRA GBR ITA ESP D NLD BEL POL ROU SWE CZE PRT AUT GRC HUN BGR CHE UKR RUS TUR USA CAN AUS IRL DNK FIN NOR SVK ' +
  'LTU LVA EST SVN HRV SRB ALB MKD BIH MNE MDA BLR KAZ UZB KGZ TJK TKM GEO ARM AZE MNG CHN JPN KOR IND PAK BGD LKA ' +
  'NPL BTN AFG IRN IRQ SYR LBN JOR ISR SAU ARE KWT QAT BHR OMN YEM EGY LBY TUN DZA MAR MRT SEN GMB GIN SLE LBR CIV ' +
  'GHA TGO BEN NGA CMR GAB COG COD AGO ZMB ZWE MOZ MWI TZA KEN UGA RWA BDI ETH ERI DJI SOM SDN SSD TCD NER MLI BFA ' +
  'ZAF NAM BWA LSO SWZ MDG MUS SYC COM CPV MEX GTM HND SLV NIC CRI PAN COL VEN ECU PER BOL CHL ARG URY PRY BRA GUY ' +
  'SUR CUB DOM HTI JAM TTO THA VNM LAO KHM MMR MYS SGP IDN PHL NZL ISL LUX MLT CYP UNO UNA XXA XXB EUE RKS'
).split(' ');
/** These have no bureau: another one reports for them. */
export const bureauOf: Readonly<Record<string, string>> = {
  D: 'DEU',
  UNO: 'CHE',
  UNA: 'CHE',
  XXA: 'SWE',
  XXB: 'ITA',
  EUE: 'BEL',
  RKS: 'ALB',
};

export const documentTypes = ['passport', 'identity-card', 'visa', 'other'] as const;
export const typeShares = [78, 17, 3, 2];
/** Blanks are stolen by the box (`blankShare`); these are all others. */
export const kindsOfLoss = ['lost', 'stolen', 'revoked', 'invalid'] as const;
export const kindShares = [62, 30, 3, 2];
export const blankShare = 0.03;
/** Reports by the issuer's own bureau. */
export const ownShare = 0.96;

const letters = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
const digits = Buffer.from('0123456789');
const both = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');

/** The characters of a number, place by place. */
export type NumberForm = readonly Uint8Array[];

const form = (text: string): NumberForm =>
  Array.from(text, (sign) => (sign === 'A' ? letters : sign === '9' ? digits : both));
/** A is a letter, 9 a digit, * either; how usual each is among passports. */
const passportForms = [
  ['A99999999', 35],
  ['AA9999999', 30],
  ['999999999', 20],
  ['A99*****', 8],
  ['99AA99999', 7],
] as const;
const cardForms = [
  ['999999999', 30],
  ['AAA999999', 15],
  ['*********', 25],
  ['A999999999', 10],
  ['999999999999', 12],
  ['AA99999999999', 8],
] as const;
export const forms: readonly NumberForm[] = [...passportForms, ...cardForms].map(([text]) => form(text));

/** A table of `slots` positions in which each value stands as often as its share says. */
export function spread(shares: readonly number[], slots: number): Uint16Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const table = new Uint16Array(slots);
  let value = 0;
  let until = shares[0] ?? 0;
  for (let slot = 0; slot < slots; slot++) {
    while ((slot / slots) * total >= until && value < shares.length - 1) until += shares[++value] ?? 0;
    table[slot] = value;
  }
  return table;
}

/** Zipf's law, a little flattened: the n-th issuer has so much. */
export const issuerShares = issuers.map((_, rank) => 1 / (rank + 2) ** 0.95);

const passportForm = spread(
  passportForms.map(([, share]) => share),
  256,
);
const cardForm = spread(
  cardForms.map(([, share]) => share),
  256,
);

/** The form that this issuer gives the numbers of this type; `draw` is a byte that is theirs for good. */
export function formOf(type: number, draw: number): number {
  const cards = documentTypes[type] === 'identity-card';
  return cards ? passportForms.length + (cardForm[draw & 255] ?? 0) : (passportForm[draw & 255] ?? 0);
}
