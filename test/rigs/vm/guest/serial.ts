import { scanDevices } from '#agent/readers/index.ts';
import { released } from './released.ts';
import { say } from './say.ts';
import { becomes, reads, watch } from './watched.ts';

/**
 * Two adapters of the same model on USB: one is pulled out in the middle of a frame, the other takes its ttyUSB number,
 * and when the first is back, under another number, both read at the same time.
 */
export async function checkSerial(document: string, other: string): Promise<void> {
  const options = { profile: 'swipe', kind: 'serial', idleMillis: 20_000 } as const;
  const [first, second] = watch([
    { id: 'first', device: 'usb:0403:6001:CP0001', ...options },
    { id: 'second', device: 'usb:0403:6001:CP0002', ...options },
  ]);
  say({ please: 'plug', cable: 0 });
  await becomes(first, 'ready');
  say({ please: 'send', cable: 0, text: `${document}${other.slice(0, 60)}` });
  await reads(first, 1);
  say({ please: 'unplug', cable: 0 });
  await becomes(first, 'absent');
  await released('/dev/ttyUSB0');
  say({ please: 'plug', cable: 1 });
  await becomes(second, 'ready');
  say({ please: 'plug', cable: 0 });
  await becomes(first, 'ready');
  say({ please: 'send', cable: 0, text: other });
  say({ please: 'send', cable: 1, text: document });
  await reads(first, 2);
  await reads(second, 1);
  const plugged = scanDevices().filter(({ usb }) => usb !== undefined);
  await first.reader.close();
  await second.reader.close();
  const seen = ({ nodes, frames, faults }: typeof first) => ({ nodes, frames, faults });
  say({ check: 'serial', plugged, first: seen(first), second: seen(second) });
}
