export { assign, type Assignment } from './devices/assign.ts';
export { type Device, type UsbIdentity } from './devices/device.ts';
export { fitsOf, isOffered } from './devices/fits.ts';
export { identityOf } from './devices/identity.ts';
export { createLocator, type Located, type Locator } from './devices/locate.ts';
export { scanDevices } from './devices/scan.ts';
export type { Frame } from './frame.ts';
export { createFraming } from './framing/create.ts';
export type { Framed, Framing } from './framing/framing.ts';
export { openSerialLink } from './links/serial.ts';
export { lineName, speedRange } from './probe/line.ts';
export type { Conclusion } from './probe/conclusion.ts';
export { probeHere } from './probe/here.ts';
export { propose, type Proposal } from './probe/propose.ts';
export { runProbe } from './probe/run.ts';
export { probeTarget } from './probe/target.ts';
export { builtInProfiles, chooseProfile, chooseProfiles } from './profiles.ts';
export {
  openReader,
  type Reader,
  type ReaderListener,
  type ReaderParts,
  type ReaderSettings,
  type Signal,
} from './reader.ts';
export { pluggedIn, Readers, type ReadersParts } from './readers.ts';
