import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * EVIOCGRAB of linux/input.h, `_IOW('E', 0x90, int)`: write (1) in bits 30 and 31, size 4 from bit 16, 'E' from bit 8,
 * 0x90. The same on all machines of asm-generic/ioctl.h, x86-64 and arm64 among them.
 */
const eviocgrab = 0x40044590;
const names: Readonly<Record<number, string>> = { 16: 'EBUSY', 19: 'ENODEV', 22: 'EINVAL', 25: 'ENOTTY' };

/**
 * Takes an event device for this descriptor alone, until it is closed: neither the console nor a page nor any other
 * program sees a key of it. Node has no ioctl; koffi calls the C library's, and is loaded here, so that terminals
 * without a keyboard reader do not pay for it (docs/decisions/0003-hid-and-keyboard.md). Fault: READER_REFUSED.
 */
export async function grab(fd: number, path: string): Promise<Result<undefined>> {
  const refuse = (why: string, cause?: unknown): Result<undefined> =>
    fail(
      'READER_REFUSED',
      `${path}: it cannot be taken for this reader alone (${why}); what it types would go elsewhere too.`,
      cause,
    );
  try {
    const { default: koffi } = await import('koffi');
    const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, ...)');
    if (ioctl(fd, eviocgrab, 'long', 1) === 0) return ok(undefined);
    const code = koffi.errno();
    return refuse(names[code] ?? `error ${code}`);
  } catch (thrown) {
    return refuse('the C library cannot be called', thrown);
  }
}
