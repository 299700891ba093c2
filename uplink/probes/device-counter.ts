/**
 * What a device has moved since the last reading, in bytes. Its counter begins at 0 again when the device is made anew
 * or the machine starts: what it then says was all moved since.
 */
export function movedSince(last: number | undefined, counter: number): number {
  if (!Number.isFinite(counter) || counter < 0) return 0;
  if (last === undefined) return 0;
  return counter >= last ? counter - last : counter;
}
