import type { ProtocolProfile } from '#contracts/readers.ts';
import { ElyctisProtocol } from './elyctis.ts';
import { ListenProtocol } from './listen.ts';
import type { Protocol } from './protocol.ts';

/**
 * The protocol that a profile names.
 *
 * @param idleMillis silence after which its framing takes a frame as complete
 */
export function createProtocol(profile: ProtocolProfile, idleMillis: number): Protocol {
  return profile.kind === 'elyctis' ? new ElyctisProtocol() : new ListenProtocol(profile, idleMillis);
}
