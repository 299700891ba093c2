import type { UplinkVerb } from '#contracts/uplink.ts';

/** Who asks, as the kernel says it of the other end of the socket (unix(7), SO_PEERCRED). */
export type Caller = 'root' | 'own' | 'agent' | 'other';

/** The users that the control socket tells apart; the agent's is undefined where the machine has no such user. */
export interface KnownUsers {
  readonly own: number;
  readonly agent: number | undefined;
}

export function callerOf(uid: number, { own, agent }: KnownUsers): Caller {
  if (uid === 0) return 'root';
  if (uid === own) return 'own';
  return uid === agent ? 'agent' : 'other';
}

const trusted: readonly Caller[] = ['root', 'own'];
const agentToo: readonly Caller[] = ['root', 'own', 'agent'];

/**
 * Who may ask what. The agent may bring a configuration, since that is believed by its signature alone, and new keys,
 * since those cost nothing; what opens the closed list or takes the choice of the uplink out of the helper's hands is
 * for whoever administers the machine.
 */
export const rights: Readonly<Record<UplinkVerb, readonly Caller[]>> = {
  status: agentToo,
  watch: agentToo,
  probe: agentToo,
  apply: agentToo,
  rotate: agentToo,
  prefer: trusted,
  enrolment: trusted,
};

export function mayAsk(caller: Caller, verb: UplinkVerb): boolean {
  return rights[verb].includes(caller);
}
