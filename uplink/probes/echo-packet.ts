import { randomBytes } from 'node:crypto';

/** Header of IPv4 without options, RFC 791. */
export const ipHeaderSize = 20;
/** Header of an echo, RFC 792: type, code, checksum, identifier, sequence number. */
const icmpHeaderSize = 8;
const tokenSize = 16;
const sequenceSize = 4;
/** The smallest packet that can be probed with: headers, our own sequence number, the token. In bytes. */
export const smallestEcho = ipHeaderSize + icmpHeaderSize + sequenceSize + tokenSize;
const echoRequest = 8;
const echoReply = 0;
/** So many probes may be under way: more than any line holds, ten seconds of the densest probing of four hubs. */
const mostUnderWay = 128;

/** One probe. */
export interface Echo {
  /** IPv4 address of the hub in the probe tunnel. */
  readonly to: string;
  /** Names the probe in its reply; from 0 to 2³² − 1. */
  readonly sequence: number;
  /** Size of the whole IPv4 packet in bytes: 20 of its header, 8 of ICMP, the rest filled. At least `smallestEcho`. */
  readonly size: number;
}

interface Entry {
  readonly echo: Echo;
  readonly token: Uint8Array;
}

/**
 * What was asked and not answered yet, so that each reply counts once. The token is new and random for every probe:
 * a reply to an earlier run of the program, a duplicate, or one that somebody made up does not pass for an answer.
 */
export class EchoLedger {
  readonly #entries = new Map<number, Entry>();

  /** Enters a probe and gives its packet from the ICMP header on; the kernel fills in identifier and checksum. */
  enter(echo: Echo): Uint8Array {
    const token = new Uint8Array(randomBytes(tokenSize));
    this.#entries.delete(echo.sequence);
    this.#entries.set(echo.sequence, { echo, token });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= mostUnderWay) break;
      this.#entries.delete(oldest);
    }
    const packet = new Uint8Array(echo.size - ipHeaderSize);
    const view = new DataView(packet.buffer);
    view.setUint8(0, echoRequest);
    view.setUint16(6, echo.sequence & 0xffff);
    view.setUint32(icmpHeaderSize, echo.sequence);
    packet.set(token, icmpHeaderSize + sequenceSize);
    return packet;
  }

  /** Takes a probe back that was not sent. */
  forget(sequence: number): void {
    this.#entries.delete(sequence);
  }

  /** The probe that these bytes answer, from the ICMP header on; undefined where they answer none, or one again. */
  answered(bytes: Uint8Array): Echo | undefined {
    if (bytes.length < smallestEcho - ipHeaderSize) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint8(0) !== echoReply || view.getUint8(1) !== 0) return undefined;
    const sequence = view.getUint32(icmpHeaderSize);
    const entry = this.#entries.get(sequence);
    // An echo comes back as large as it went: one that does not says nothing about its size.
    if (entry === undefined || bytes.length !== entry.echo.size - ipHeaderSize) return undefined;
    const at = icmpHeaderSize + sequenceSize;
    if (!entry.token.every((byte, index) => bytes[at + index] === byte)) return undefined;
    this.#entries.delete(sequence);
    return entry.echo;
  }
}
