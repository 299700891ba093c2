import type { WallTime } from '#contracts/units.ts';

/** A UUID of version 7 (RFC 9562 § 5.7): 48 bits of wall time, then 74 random bits. `random` fills 10 bytes. */
export function uuid7(now: WallTime, random: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = new Uint8Array(16);
  bytes.set(random(new Uint8Array(10)), 6);
  let time = Math.max(0, Math.floor(now));
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
