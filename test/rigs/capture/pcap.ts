/** A packet as a capture file holds it: its first bytes, and how long it was. */
export interface RawPacket {
  /** Seconds since 1970. */
  readonly at: number;
  readonly bytes: Buffer;
  /** Bytes on the wire; more than `bytes` holds where the capture cut it off. */
  readonly length: number;
}

/** Ethernet is link type 1 (draft-ietf-opsawg-pcap, section "Link types"). */
const ethernet = 1;

/**
 * Reads a capture file of the classic kind (pcap-savefile(5)). A last packet that is not whole is left out: the
 * program that wrote it may have been killed. Throws where it is no such file.
 */
export function readPcap(file: Buffer): RawPacket[] {
  if (file.length < 24) throw new Error('The capture is shorter than its header.');
  const magic = file.readUInt32LE(0);
  const little = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const nanoseconds = u32(0) === 0xa1b23c4d;
  if (!nanoseconds && u32(0) !== 0xa1b2c3d4) throw new Error('The file is no capture.');
  if ((u32(20) & 0xffff) !== ethernet) throw new Error(`The link type ${u32(20)} is not Ethernet.`);
  const packets: RawPacket[] = [];
  for (let at = 24; at + 16 <= file.length;) {
    const captured = u32(at + 8);
    const end = at + 16 + captured;
    if (end > file.length) break;
    packets.push({
      at: u32(at) + u32(at + 4) / (nanoseconds ? 1e9 : 1e6),
      bytes: file.subarray(at + 16, end),
      length: u32(at + 12),
    });
    at = end;
  }
  return packets;
}
