import { endianness } from 'node:os';
import type { Socket } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import { errnoName, type Libc, linux } from './libc.ts';

/** Who holds the other end of a Unix socket. */
export interface PeerCredentials {
  /** The process that connected; it may have ended since, and its number may be another's by now. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** `struct ucred` of unix(7): pid, uid and gid, 32 bits each. */
const ucredSize = 12;

/**
 * Who connected to a Unix socket, as the kernel noted it at that moment: nobody can say it of themselves (SO_PEERCRED,
 * unix(7)). Fault: UPLINK_DENIED where it cannot be told, since then nothing may be granted.
 */
export function peerOf(fd: number, libc: Libc): Result<PeerCredentials> {
  const bytes = new Uint8Array(ucredSize);
  const length = libc.getsockopt(fd, linux.SOL_SOCKET, linux.SO_PEERCRED, bytes);
  if (length < 0) return fail('UPLINK_DENIED', `Who asks cannot be told (${errnoName(length)}).`);
  const view = new DataView(bytes.buffer);
  const little = endianness() === 'LE';
  const pid = view.getInt32(0, little);
  // A socket that is not a Unix socket gives a process 0 and a user of all ones.
  if (length !== ucredSize || pid <= 0) return fail('UPLINK_DENIED', 'Who asks cannot be told.');
  return ok({ pid, uid: view.getUint32(4, little), gid: view.getUint32(8, little) });
}

/** The descriptor of a socket of node:net, or undefined once it is closed. Node has no public word for it. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
