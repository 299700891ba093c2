/**
 * What a /dev/input/event node gives on a 64-bit machine, 24 bytes each in the machine's own byte order, which is little
 * endian on x86-64 and arm64 (linux/input.h, struct input_event):
 *
 *     0  seconds (8)   8  microseconds (8)   16  type (2)   18  code (2)   20  value (4, signed)
 */
export interface InputEvent {
  readonly type: number;
  readonly code: number;
  readonly value: number;
}

const size = 24;

/** Bytes to events; the kernel gives whole events, and whatever else gives a part has it kept for the next chunk. */
export class InputEvents {
  #rest: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): InputEvent[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const whole = bytes.length - (bytes.length % size);
    this.#rest = bytes.slice(whole);
    const view = new DataView(bytes.buffer);
    const events: InputEvent[] = [];
    for (let at = 0; at < whole; at += size) {
      events.push({
        type: view.getUint16(at + 16, true),
        code: view.getUint16(at + 18, true),
        value: view.getInt32(at + 20, true),
      });
    }
    return events;
  }
}
