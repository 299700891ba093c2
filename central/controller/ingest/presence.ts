import type { HealthMessage, HealthReport, Status } from '#contracts/health.ts';

/** What is known of one terminal, as it is kept. Instants are the controller's own. */
export interface Presence {
  readonly certificate: string;
  readonly session: number;
  /** Empty while the birth of this session has not arrived, but its health has. */
  readonly boot: string;
  readonly state: 'online' | 'suspect' | 'offline';
  /** The death of this session was received: nothing of it can be news any more. */
  readonly ended: boolean;
  /** A lower session number is believed once. */
  readonly restartAllowed: boolean;
  /** The session that was left behind when a lower number was believed: its will may still come. */
  readonly left: { readonly session: number; readonly boot: string } | null;
  /**
   * The last birth that was refused: for its low number, where its terminal may turn out to have begun a new store; or
   * since another machine has its session, where that one may leave.
   */
  readonly refusedBirth: Status | null;
  readonly since: string;
  readonly lastSeen: string | null;
  readonly version: string;
  /** In seconds; null where it was not told. */
  readonly keepAlive: number | null;
  readonly health: Partial<HealthReport>;
  /** Number of the message that each section came with, and of the last full report. */
  readonly sectionSeqs: Readonly<Record<string, number>>;
  readonly fullSeq: number;
  readonly healthAt: string | null;
  readonly clonedAt: string | null;
  /** Items never arrived: since when, and when last. */
  readonly lost: Span | null;
  /** It sends more than it may: since when, and when last. */
  readonly flooding: Span | null;
}

export interface Span {
  readonly since: string;
  readonly last: string;
}

/** Why a message about state was not acted upon. */
export type Ignored = 'older-session' | 'session-over' | 'other-session' | 'cloned-identity';

export type Step =
  | { readonly kind: 'changed'; readonly next: Presence }
  | { readonly kind: 'same' }
  /** What is kept of it all the same is in `next`. */
  | { readonly kind: 'ignored'; readonly why: Ignored; readonly next?: Presence };

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
    refusedBirth: null,
    since: now,
    lastSeen: null,
    version: '',
    keepAlive: null,
    health: {},
    sectionSeqs: {},
    fullSeq: 0,
    healthAt: null,
    clonedAt: null,
    lost: null,
    flooding: null,
  };
}

/**
 * Births and deaths are ordered by the session's number, which the terminal keeps on disk and raises with every
 * connection: the will of an old connection may arrive after the birth of a new one. A death of a newer session counts,
 * since its birth may have been missed. The same number from another boot is another machine with the same identity; so is
 * a lower one that counts on.
 */
export function afterStatus(current: Presence, message: Status, now: string): Step {
  const online = message.state === 'online';
  if (message.session === current.left?.session && message.boot === current.left.boot)
    return { kind: 'ignored', why: 'older-session' };
  if (message.session === current.session) {
    const known = current.boot !== '';
    if (known && message.boot !== current.boot) return afterRival(current, message, now);
    if (current.ended) return online ? { kind: 'ignored', why: 'session-over' } : { kind: 'same' };
    if (known && online && current.state === 'online') return { kind: 'same' };
    const rival = current.refusedBirth;
    // Of two machines with one session the one that is known has left; the other is still there.
    const stays = !online && rival?.session === current.session && rival.boot !== current.boot;
    const next = stays ? { ...moved(current, rival, now), ...unnumbered } : moved(current, message, now);
    return { kind: 'changed', next };
  }
  if (message.session < current.session) {
    if (!online) return { kind: 'ignored', why: 'older-session' };
    if (!current.restartAllowed) return afterLowBirth(current, message, now);
    const left = { session: current.session, boot: current.boot };
    const next = { ...moved(current, message, now), ...unnumbered, restartAllowed: false, left };
    return { kind: 'changed', next };
  }
  return { kind: 'changed', next: { ...moved(current, message, now), ...unnumbered } };
}

/** A message of the session that another machine is known by: both have the same identity. */
function afterRival(before: Presence, message: Status, now: string): Step {
  const current = { ...before, clonedAt: before.clonedAt ?? now };
  const online = message.state === 'online';
  if (online && current.ended)
    return { kind: 'changed', next: { ...moved(current, message, now), ...unnumbered } };
  const had = current.refusedBirth?.boot === message.boot ? null : current.refusedBirth;
  return {
    kind: 'ignored',
    why: 'cloned-identity',
    next: { ...current, refusedBirth: online ? message : had },
  };
}

/**
 * A birth with a low number may be a late one, or of a second machine: an old copy counts on from where it was copied. One
 * late birth proves nothing; a second one that is higher, from a boot that is not the present one, does.
 */
function afterLowBirth(current: Presence, message: Status, now: string): Step {
  const before = current.refusedBirth;
  const isOldCopy =
    before !== null &&
    before.boot === message.boot &&
    message.boot !== current.boot &&
    message.session > before.session;
  return isOldCopy
    ? { kind: 'ignored', why: 'cloned-identity', next: { ...current, clonedAt: current.clonedAt ?? now } }
    : { kind: 'ignored', why: 'older-session', next: { ...current, refusedBirth: message } };
}

/** Each session counts its health from 1. */
const unnumbered = { sectionSeqs: {}, fullSeq: 0 };

function moved(current: Presence, message: Status, now: string): Presence {
  return {
    ...current,
    session: message.session,
    boot: message.boot,
    version: message.version,
    keepAlive: message.keepAlive ?? current.keepAlive,
    state: message.state,
    ended: message.state === 'offline',
    // What somebody else said is not answered by a birth of this boot.
    refusedBirth: current.refusedBirth?.boot === message.boot ? null : current.refusedBirth,
    since: current.state === message.state && current.session !== 0 ? current.since : now,
    // A will is the broker's word, not the terminal's.
    lastSeen: message.reason === 'lost' ? current.lastSeen : now,
  };
}

/**
 * Health of a newer session than is known is its birth as well: the birth itself may be on its way through another
 * controller. Within a session each section takes the highest number that it came with, in whatever order messages
 * arrive; what a change leaves out stays as it was, and what a full report leaves out is gone.
 */
export function afterHealth(before: Presence, message: HealthMessage, now: string): Step {
  if (message.session < before.session || message.session === before.left?.session)
    return { kind: 'ignored', why: 'other-session' };
  if (message.session === before.session && before.ended) return { kind: 'ignored', why: 'session-over' };
  const current: Presence =
    message.session === before.session
      ? before
      : { ...before, ...unnumbered, session: message.session, boot: '', ended: false };
  const merged = merge(current, message);
  // Another controller was faster, or the broker has repeated it.
  if (merged === undefined) return { kind: 'same' };
  return {
    kind: 'changed',
    next: {
      ...current,
      ...merged,
      state: 'online',
      since: before.state === 'online' && before.session !== 0 ? before.since : now,
      lastSeen: now,
      healthAt: now,
    },
  };
}

/** The sections of a report after a message, or undefined where none of it is newer. */
function merge(
  current: Presence,
  { seq, full, report }: HealthMessage,
): Pick<Presence, 'health' | 'sectionSeqs' | 'fullSeq'> | undefined {
  const health: Record<string, unknown> = { ...current.health };
  const seqs: Record<string, number> = { ...current.sectionSeqs };
  const seqOf = (section: string): number => Math.max(seqs[section] ?? 0, current.fullSeq);
  let isNews = full && seq > current.fullSeq;
  for (const [section, value] of Object.entries(report)) {
    if (seq <= seqOf(section)) continue;
    health[section] = value;
    seqs[section] = seq;
    isNews = true;
  }
  if (full && seq > current.fullSeq) {
    for (const section of Object.keys(health))
      if (!(section in report) && seq > seqOf(section)) delete health[section];
  }
  // A message without sections says that the terminal lives; it is news once.
  if (!isNews && Object.keys(report).length === 0) isNews = seq > Math.max(seqOf(''), ...Object.values(seqs));
  if (!isNews) return undefined;
  if (Object.keys(report).length === 0) seqs[''] = seq;
  return { health, sectionSeqs: seqs, fullSeq: full ? Math.max(current.fullSeq, seq) : current.fullSeq };
}

/**
 * Neither a birth nor any other word came since the broker was reached again: a broker that lost its memory also lost
 * the will of a terminal that lost its power in the same moment.
 */
export function afterSilence(current: Presence, state: 'suspect' | 'offline', now: string): Presence {
  return { ...current, state, since: now };
}
