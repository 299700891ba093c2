/** A device that is plugged in and could be a reader. */
export interface Device {
  readonly kind: 'serial' | 'hid' | 'keyboard';
  /** The kernel's name for it at this moment, for opening only: /dev/ttyUSB0, /dev/hidraw1, /dev/input/event3. */
  readonly node: string;
  /** Of USB devices; a port of the machine itself has none. */
  readonly usb?: UsbIdentity;
}

export interface UsbIdentity {
  /** Four hexadecimal digits in lower case. */
  readonly vendor: string;
  readonly product: string;
  /** As the device says it, blanks at its ends removed; many cheap adapters have none. */
  readonly serial?: string;
  /** The port that it is plugged into, as the kernel counts it: `1-1.2`; stable for one machine. */
  readonly port: string;
  /** Which of several interfaces of one device: `1.0`. */
  readonly interface: string;
  /** What it calls its maker and itself. */
  readonly maker?: string;
  readonly name?: string;
}
