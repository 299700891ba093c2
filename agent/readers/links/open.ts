import type { LinkProfile } from '#contracts/readers.ts';
import type { Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { openHidLink } from './hid.ts';
import { openKeyboardLink } from './keyboard.ts';
import type { Link, LinkListener } from './link.ts';
import { openSerialLink } from './serial.ts';

/** Opens a device as its profile says. Faults: READER_ABSENT, READER_REFUSED. */
export function openLink(
  profile: LinkProfile,
  path: string,
  listener: LinkListener,
  clock: Clock,
): Promise<Result<Link>> {
  switch (profile.kind) {
    case 'serial':
      return openSerialLink(path, profile, listener, clock);
    case 'hid':
      return openHidLink(path, listener);
    case 'keyboard':
    default:
      return openKeyboardLink(path, profile.layout, listener);
  }
}
