import type { HubRequest, KeySlot, SlotKeys } from '#contracts/hub.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { HubSettings } from '#contracts/settings/hub.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Peers } from './peers.ts';
import { type HubSlot, peersOf, type Registry } from './registry.ts';
import { type RotatedTerminal, writeRotatedKeys } from './rotated-keys.ts';
import type { Routes } from './routes.ts';
import { createSerial } from './serial.ts';
import type { KnownTerminals } from './terminals.ts';

type Offer = Extract<HubRequest, { verb: 'offer' }>;

interface KeyringParts {
  readonly settings: HubSettings;
  /** Text of the hub's private key: for the interface, over standard input. */
  readonly privateKey: string;
  readonly peers: Peers;
  readonly routes: Routes;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A candidate that is older is dropped, but only where the terminal has been seen with its old key since: one that is
 * silent may have switched already, and would be shut out for good.
 */
const candidateLasts = 3_600_000;

/** The keys of all terminals, in memory, on disk and in WireGuard: in that order on the way in, disk first on a change. */
export class Keyring {
  readonly #parts: KeyringParts;
  readonly #serial = createSerial();
  #registry: Registry;
  /** True while the interface may not have all that stands on disk: a step of `wg` failed. */
  #behind = false;
  /** Slots that have a candidate. */
  readonly #open = new Map<string, { terminal: string; slot: KeySlot }>();

  constructor(known: KnownTerminals, parts: KeyringParts) {
    this.#parts = parts;
    this.#registry = known.registry;
    this.#findOpen();
  }

  get registry(): Registry {
    return this.#registry;
  }

  /** Whether there is anything to look for at the interface. */
  get waiting(): boolean {
    return this.#open.size > 0 || this.#behind;
  }

  /** Makes the interface and the routes what stands on disk. */
  sync(): Promise<Result<void>> {
    return this.#serial(() => this.#sync());
  }

  keys(terminal: string): SlotKeys[] {
    return this.#registry.slots(terminal).map(({ slot, current, candidate }) => ({
      slot,
      current: current.publicKey,
      candidate: candidate?.publicKey ?? null,
    }));
  }

  /** Takes a new key beside the one in force: on disk before it is in the interface, and both before it settles. */
  offer(terminal: string, offer: Offer): Promise<Result<void>> {
    return this.#serial(async () => {
      const found = this.#registry.slot(terminal, offer.slot);
      if (found === undefined) return fail('REQUEST_INVALID', `${terminal} has no ${offer.slot} here.`);
      const { publicKey, presharedKey } = offer;
      if (found.current.publicKey === publicKey) return ok(undefined);
      // A key that was in force once, of this slot too, does not come back: the registered one is that of the enrolment.
      if (publicKey === found.registered || this.#registry.takenByOther(publicKey, found))
        return fail('REQUEST_INVALID', 'This key is known already; a new one must be new.');
      const before = found.candidate;
      const offeredAt = instant(this.#parts.clock.wall());
      const same = before?.publicKey === publicKey && before.presharedKey === presharedKey;
      const slot = same ? found : { ...found, candidate: { publicKey, presharedKey, offeredAt } };
      if (!same) {
        const saved = await this.#save(slot);
        if (!saved.ok) return saved;
        // Also where only the preshared key is another: a handshake with the old one must not count.
        if (before !== null) {
          const removed = await this.#parts.peers.remove([before.publicKey]);
          if (!removed.ok) return this.#fallBehind(removed);
        }
      }
      this.#parts.log.info('A terminal offers a new key', { terminal, slot: offer.slot });
      // Also where it is the same: the answer to the first may have been lost after a failure of `wg`.
      const set = await this.#parts.peers.set(peersOf(slot).filter(({ address }) => address === null));
      return set.ok ? set : this.#fallBehind(set);
    });
  }

  limit(terminal: string, mtu: number): Promise<Result<void>> {
    return this.#serial(async () => {
      const found = this.#registry.slot(terminal, 'tunnel');
      if (found === undefined) return fail('TERMINAL_UNKNOWN', `${terminal} is not known here.`);
      return this.#parts.routes.limit(found.address, mtu, this.#parts.settings.mtu);
    });
  }

  /** Looks for handshakes of candidates, and makes each that had one the key in force. */
  look(): Promise<Result<void>> {
    return this.#serial(async () => {
      if (this.#behind) {
        const done = await this.#sync();
        if (!done.ok) return done;
      }
      const handshakes = await this.#parts.peers.handshakes();
      if (!handshakes.ok) return handshakes;
      for (const { terminal, slot } of this.#open.values()) {
        const found = this.#registry.slot(terminal, slot);
        if (found === undefined || found.candidate === null) continue;
        const done = await this.#judge(found, handshakes.value);
        if (!done.ok) return done;
      }
      return ok(undefined);
    });
  }

  /**
   * Looks whether somebody else took peers or routes away, and puts them back. The answer is a fault where the interface
   * cannot be read.
   */
  verify(): Promise<Result<void>> {
    return this.#serial(async () => {
      const there = await this.#parts.peers.handshakes();
      if (!there.ok) return there;
      const wanted = this.#registry.peers();
      const same =
        wanted.size === there.value.size && [...wanted.keys()].every((key) => there.value.has(key));
      if (!same || this.#behind) {
        this.#parts.log.warn('The peers of the interface were changed by somebody else; they are put back');
        return this.#sync();
      }
      const routed = await this.#parts.routes.sync(this.#addresses());
      return routed.ok ? routed : this.#fallBehind(routed);
    });
  }

  /** Takes what was read anew: only the peers that changed are touched, and those that are gone are cut first. */
  reload(read: () => Result<KnownTerminals>): Promise<Result<KnownTerminals>> {
    return this.#serial(async () => {
      // Read in turn, so that no key that is taken meanwhile is missing in it.
      const known = read();
      if (!known.ok) return known;
      const done = await this.#take(known.value.registry);
      return done.ok ? known : done;
    });
  }

  async #take(registry: Registry): Promise<Result<void>> {
    const { peers, routes } = this.#parts;
    const before = this.#registry.peers();
    this.#registry = registry;
    this.#findOpen();
    const after = registry.peers();
    const gone = [...before.keys()].filter((key) => !after.has(key));
    const changed = [...after.values()].filter((peer) => {
      const old = before.get(peer.publicKey);
      return old?.address !== peer.address || old.presharedKey !== peer.presharedKey;
    });
    const removed = await peers.remove(gone);
    if (!removed.ok) return this.#fallBehind(removed);
    const set = await peers.set(changed);
    if (!set.ok) return this.#fallBehind(set);
    const routed = await routes.sync(this.#addresses());
    return routed.ok ? routed : this.#fallBehind(routed);
  }

  async #sync(): Promise<Result<void>> {
    const { peers, routes, privateKey, settings } = this.#parts;
    const set = await peers.sync(privateKey, settings.listenPort, this.#registry.peers().values());
    if (!set.ok) return this.#fallBehind(set);
    const routed = await routes.sync(this.#addresses());
    if (!routed.ok) return this.#fallBehind(routed);
    this.#behind = false;
    return routed;
  }

  async #judge(found: HubSlot, handshakes: ReadonlyMap<string, number>): Promise<Result<void>> {
    const { candidate, current, terminal, slot, address } = found;
    if (candidate === null) return ok(undefined);
    const { peers, log } = this.#parts;
    if ((handshakes.get(candidate.publicKey) ?? 0) > 0) {
      const { publicKey, presharedKey } = candidate;
      const saved = await this.#save({ ...found, current: { publicKey, presharedKey }, candidate: null });
      if (!saved.ok) return saved;
      const done = await peers.promote(current.publicKey, { publicKey, presharedKey, address });
      if (!done.ok) return this.#fallBehind(done);
      log.info('A new key of a terminal is in force', { terminal, slot });
      return done;
    }
    const seen = (handshakes.get(current.publicKey) ?? 0) * 1000;
    if (seen < Date.parse(candidate.offeredAt) + candidateLasts) return ok(undefined);
    const saved = await this.#save({ ...found, candidate: null });
    if (!saved.ok) return saved;
    log.info('A new key of a terminal was never used and is dropped', { terminal, slot });
    const removed = await peers.remove([candidate.publicKey]);
    return removed.ok ? removed : this.#fallBehind(removed);
  }

  /** On disk first, so that what is in memory is never more than what a power cut leaves. */
  async #save(slot: HubSlot): Promise<Result<void>> {
    const all = this.#registry.slots(slot.terminal).map((other) => (other.slot === slot.slot ? slot : other));
    const rotated: RotatedTerminal = {
      v: 1,
      terminal: slot.terminal,
      slots: all.map(({ slot, registered, current, candidate }) => ({
        slot,
        registered,
        current: current.publicKey === registered ? null : current,
        candidate,
      })),
    };
    const saved = await writeRotatedKeys(this.#parts.settings.state, rotated);
    if (!saved.ok) return saved;
    this.#registry.replace(slot);
    this.#note(slot);
    return saved;
  }

  #note({ terminal, slot, candidate }: HubSlot): void {
    const id = `${terminal}/${slot}`;
    if (candidate === null) this.#open.delete(id);
    else this.#open.set(id, { terminal, slot });
  }

  #findOpen(): void {
    this.#open.clear();
    for (const slot of this.#registry.slots()) this.#note(slot);
  }

  #addresses(): ReadonlySet<string> {
    return new Set(this.#registry.slots().map(({ address }) => address));
  }

  #fallBehind<F extends Result<never> | Result<void>>(failed: F): F {
    this.#behind = true;
    if (!failed.ok)
      this.#parts.log.error(
        'The interface is not what stands on disk; it is tried again',
        faultFields(failed.fault),
      );
    return failed;
  }
}
