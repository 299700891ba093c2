/**
 * Specimen documents for the demo and the tests: UTO, the specimen state of ICAO Doc 9303, and made-up numbers. The
 * collection that goes with them is central/publisher/specimens.csv.
 */
const weights = [7, 3, 1];

function checkDigit(text: string): string {
  const sum = Array.from(text).reduce((total, letter, at) => {
    const value = letter === '<' ? 0 : /\d/.test(letter) ? Number(letter) : letter.charCodeAt(0) - 55;
    return total + value * (weights[at % 3] ?? 0);
  }, 0);
  return String(sum % 10);
}

/** A TD3 of the specimen state with this number; holder, birth and expiry are those of the published specimen. */
export function passport(
  number: string,
  expiry = '300415',
  names = 'ERIKSSON<<ANNA<MARIA',
): readonly [string, string] {
  const field = number.padEnd(9, '<');
  const birth = '740812';
  const optional = 'ZE184226B'.padEnd(14, '<');
  const numberPart = field + checkDigit(field);
  const birthPart = birth + checkDigit(birth);
  const expiryPart = expiry + checkDigit(expiry);
  const optionalPart = optional + checkDigit(optional);
  const composite = checkDigit(numberPart + birthPart + expiryPart + optionalPart);
  return [
    `P<UTO${names}`.padEnd(44, '<'),
    `${numberPart}UTO${birthPart}F${expiryPart}${optionalPart}${composite}`,
  ];
}

/** Recorded as stolen. */
export const stolenPassport = passport('L898902C3');
/** Not in the collection. */
export const cleanPassport = passport('X734211K5');
