import { cleanPassport, stolenPassport } from '../../documents.ts';
import { runChecks } from './checks.ts';
import { checkHid } from './hid.ts';
import { checkKeyboard, checkUsbKeyboard } from './keyboard.ts';
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

void runChecks(checks).finally(() => process.exit());
