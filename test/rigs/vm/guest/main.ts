import { cleanPassport, stolenPassport } from '../../documents.ts';
import { checkHid } from './hid.ts';
import { checkKeyboard, checkUsbKeyboard } from './keyboard.ts';
import { say } from './say.ts';
import { checkSerial } from './serial.ts';

/**
 * What runs inside the machine, on a real kernel. It says what it saw, one JSON object a line; what is expected of it
 * stands in the test that boots it.
 */
const document = `${stolenPassport.join('\r')}\r`;
const other = `${cleanPassport.join('\r')}\r`;
const checks: Readonly<Record<string, () => Promise<void>>> = {
  hid: () => checkHid(document, other),
  keyboard: () => checkKeyboard(document),
  'usb-keyboard': () => checkUsbKeyboard(),
  serial: () => checkSerial(document, other),
};

async function main(): Promise<void> {
  for (const [check, run] of Object.entries(checks)) {
    try {
      await run();
    } catch (thrown) {
      say({ check, failed: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
}

void main().finally(() => process.exit());
