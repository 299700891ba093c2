/** A network of IPv4 by its first and last address, as numbers. */
export interface Prefix4 {
  readonly first: number;
  readonly last: number;
}

/** The number of an IPv4 address in text; undefined where it is none. */
export function readAddress4(text: string): number | undefined {
  const parts = text.split('.').map((part) => (/^(0|[1-9][0-9]{0,2})$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function address4(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** A network such as 10.77.0.0/17; undefined where it is none, or where bits behind the prefix are set. */
export function readPrefix4(text: string): Prefix4 | undefined {
  const [address = '', length = ''] = text.split('/');
  const first = readAddress4(address);
  const bits = /^[0-9]{1,2}$/.test(length) ? Number(length) : 33;
  if (first === undefined || bits > 32 || first % 2 ** (32 - bits) !== 0) return undefined;
  return { first, last: first + 2 ** (32 - bits) - 1 };
}

export function overlap(a: Prefix4, b: Prefix4): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function contains({ first, last }: Prefix4, address: number): boolean {
  return address >= first && address <= last;
}
