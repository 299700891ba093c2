import type { HealthMessage, HealthReport, Status } from '#contracts/health.ts';

/** What is known of one terminal, as it is kept. Instants are the controller's own. */
export interface Presence {
  readonly certificate: string;
  readonly session: number;
  readonly boot: string;
  readonly state: 'online' | 'offline';
  /** The death of this session was received: nothing of it can be news any more. */
  readonly ended: boolean;
  /** A lower session number is believed once. */
  readonly restartAllowed: boolean;
  /** The session that was left behind when a lower number was believed: its will may still come. */
  readonly left: { readonly session: number; readonly boot: string } | null;
  readonly since: string;
  readonly lastSeen: string | null;
  readonly version: string;
  readonly healthSeq: number;
  readonly health: Partial<HealthReport>;
  readonly clonedAt: string | null;
}

/** Why a message about state was not acted upon. */
export type Ignored = 'older-session' | 'session-over' | 'other-session' | 'old-health' | 'cloned-identity';

export type Step =
  | { readonly kind: 'changed'; readonly next: Presence }
  | { readonly kind: 'same' }
  | { readonly kind: 'ignored'; readonly why: Ignored };

/** A terminal that was never heard of: every session is newer. */
export function unknownPresence(certificate: string, now: string): Presence {
  return {
    certificate,
    session: 0,
    boot: '',
    state: 'offline',
    ended: true,
    restartAllowed: false,
    left: null,
    since: now,
    lastSeen: null,
    version: '',
    healthSeq: 0,
    health: {},
    clonedAt: null,
  };
}

/**
 * Births and deaths are ordered by the session's number, which the terminal keeps on disk and raises with every
 * connection: the will of an old connection may arrive after the birth of a new one. A death of a newer session counts,
 * since its birth may have been missed. The same number from another boot is another machine with the same identity.
 */
export function afterStatus(current: Presence, message: Status, now: string): Step {
  const online = message.state === 'online';
  if (message.session === current.left?.session && message.boot === current.left.boot)
    return { kind: 'ignored', why: 'older-session' };
  if (message.session === current.session) {
    if (message.boot !== current.boot) return { kind: 'ignored', why: 'cloned-identity' };
    if (current.ended) return online ? { kind: 'ignored', why: 'session-over' } : { kind: 'same' };
    if (online && current.state === 'online') return { kind: 'same' };
    return { kind: 'changed', next: moved(current, message, now) };
  }
  if (message.session < current.session) {
    if (!online || !current.restartAllowed) return { kind: 'ignored', why: 'older-session' };
    const left = { session: current.session, boot: current.boot };
    const next = { ...moved(current, message, now), healthSeq: 0, restartAllowed: false, left };
    return { kind: 'changed', next };
  }
  return { kind: 'changed', next: { ...moved(current, message, now), healthSeq: 0 } };
}

function moved(current: Presence, message: Status, now: string): Presence {
  return {
    ...current,
    session: message.session,
    boot: message.boot,
    version: message.version,
    state: message.state,
    ended: message.state === 'offline',
    since: current.state === message.state && current.session !== 0 ? current.since : now,
    // A will is the broker's word, not the terminal's.
    lastSeen: message.reason === 'lost' ? current.lastSeen : now,
  };
}

/** Health counts only from the current session and with a rising number; what a change leaves out stays as it was. */
export function afterHealth(current: Presence, message: HealthMessage, now: string): Step {
  if (message.session !== current.session) return { kind: 'ignored', why: 'other-session' };
  if (current.ended) return { kind: 'ignored', why: 'session-over' };
  if (message.seq <= current.healthSeq) return { kind: 'ignored', why: 'old-health' };
  return {
    kind: 'changed',
    next: {
      ...current,
      state: 'online',
      since: current.state === 'online' ? current.since : now,
      lastSeen: now,
      healthSeq: message.seq,
      health: message.full ? message.report : { ...current.health, ...message.report },
    },
  };
}

/**
 * Neither a birth nor any other word came since the broker was reached again: a broker that lost its memory also lost
 * the will of a terminal that lost its power in the same moment.
 */
export function afterSilence(current: Presence, now: string): Presence {
  return { ...current, state: 'offline', since: now };
}
