import type { KeyboardLayout } from '#contracts/readers.ts';
import { ok, type Result } from '#contracts/result.ts';
import { grab } from './grab.ts';
import { InputEvents } from './input-event.ts';
import { KeyDecoder } from './keys.ts';
import type { Link, LinkListener } from './link.ts';
import { openPolled } from './poll.ts';

/**
 * A reader that plays a keyboard, by its /dev/input/event node. It is taken exclusively before anything of it is read,
 * and refused where that fails: what it types would otherwise go to the console or into the page as well.
 * Faults: READER_ABSENT, READER_REFUSED.
 *
 * The kernel keeps 64 events for it, about ten characters: where it types faster than the loop turns, the decoder says
 * so in the bytes, and the frame is noise.
 */
export async function openKeyboardLink(
  path: string,
  layout: KeyboardLayout,
  listener: LinkListener,
): Promise<Result<Link>> {
  const events = new InputEvents();
  const keys = new KeyDecoder(layout);
  const opened = await openPolled(path, {
    read(bytes) {
      const typed = events.push(bytes).flatMap((event) => keys.take(event));
      if (typed.length > 0) listener.data(Uint8Array.from(typed));
    },
    lost: (why) => listener.lost(why),
  });
  if (!opened.ok) return opened;
  const device = opened.value;
  const grabbed = await grab(device.fd, path);
  if (!grabbed.ok) {
    await device.close();
    return grabbed;
  }
  device.start();
  return ok({
    present: () => device.present(),
    // A keyboard takes nothing but its lamps.
    write: () => {},
    close: () => device.close(),
  });
}
