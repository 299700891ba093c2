/**
 * The one canonical search key, used by publisher, centre and terminal alike. Canonicalisation is the likeliest source
 * of a real miss: what is folded here is folded on both sides, and nothing else is.
 *
 * Rules, each with its reason:
 * - letters to upper case: national systems type numbers in either;
 * - fillers `<`, blanks, hyphens, dots and slashes inside a number are dropped: a visual zone prints them, an MRZ
 *   replaces them by fillers (ICAO Doc 9303 part 3 § 4.6), a clerk types either;
 * - never O to 0, nor any other look-alike: some states print a genuine letter O; variants are asked for separately;
 * - state codes that name the same issuer are one: Germany's `D`, `D<<` and `DEU`; Romania's `ROM`, Congo's `ZAR`,
 *   Timor-Leste's `TMP` and `TPE`, Kosovo's `KS`, `XKX` and `RKS` (ICAO Doc 9303 part 3 § 5 and its older editions).
 *   A successor state is not the same issuer: YUG, SCG and SUN stay what they are.
 */
declare const key: unique symbol;

/** `STATE|NUMBER`, both canonical. Personal data: never logged, never stored in clear. */
export type SearchKey = string & { readonly [key]: 'search key' };

const sameIssuer: Readonly<Record<string, string>> = {
  DEU: 'D',
  ROM: 'ROU',
  ZAR: 'COD',
  TMP: 'TLS',
  TPE: 'TLS',
  KS: 'RKS',
  XKX: 'RKS',
};

/** Upper case, without fillers and blanks, legacy and alternative codes folded; `''` if nothing is left. */
export function canonicalState(state: string): string {
  const plain = state.toUpperCase().replace(/[<\s]/g, '');
  return sameIssuer[plain] ?? plain;
}

/** Upper case, without fillers, blanks and the marks that print but do not count; `''` if nothing is left. */
export function canonicalNumber(number: string): string {
  return number.toUpperCase().replace(/[<\s\-./]/g, '');
}

/**
 * The search key of a document, or `undefined` where there is none: no state, no number, or characters that no
 * canonical number has (A to Z, 0 to 9; at most 27, the longest that a TD1's optional data can continue to).
 */
export function searchKey(issuingState: string, documentNumber: string): SearchKey | undefined {
  const state = canonicalState(issuingState);
  const number = canonicalNumber(documentNumber);
  if (!/^[A-Z]{1,3}$/.test(state) || !/^[A-Z0-9]{1,27}$/.test(number)) return undefined;
  return `${state}|${number}` as SearchKey;
}

/** What a record is filed under; the MRZ's document code in one word. */
export type DocumentType = 'passport' | 'identity-card' | 'visa' | 'other';

/**
 * The document type of an MRZ's document code (ICAO Doc 9303 parts 4 to 7): P passports, V visas, A, C and I cards,
 * but AC is a crew member's certificate.
 */
export function documentTypeOf(documentCode: string): DocumentType {
  const code = documentCode.toUpperCase().replace(/</g, '');
  if (code === 'AC') return 'other';
  switch (code[0]) {
    case 'P':
      return 'passport';
    case 'V':
      return 'visa';
    case 'A':
    case 'C':
    case 'I':
      return 'identity-card';
    default:
      return 'other';
  }
}
