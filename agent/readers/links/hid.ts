import { ok, type Result } from '#contracts/result.ts';
import { payloadOf, reportsOf } from './hid-report.ts';
import type { Link, LinkListener } from './link.ts';
import { openPolled } from './poll.ts';

/** A USB HID reader by its /dev/hidraw node, each read of which is one report. Faults: READER_ABSENT, READER_REFUSED. */
export async function openHidLink(path: string, listener: LinkListener): Promise<Result<Link>> {
  const opened = await openPolled(path, {
    read(report) {
      const payload = payloadOf(report);
      if (payload.length > 0) listener.data(payload);
    },
    lost: (why) => listener.lost(why),
  });
  if (!opened.ok) return opened;
  const device = opened.value;
  device.start();
  return ok({
    present: () => device.present(),
    write(bytes) {
      for (const report of reportsOf(bytes)) device.write(report);
    },
    close: () => device.close(),
  });
}
