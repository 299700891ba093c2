import { isIPv4 } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { KeySlot } from '#contracts/hub.ts';
import type { HubSettings, HubTerminal, HubTerminals } from '#contracts/settings/hub.ts';
import type { RotatedSlot, RotatedTerminal } from './rotated-keys.ts';

/** A key of a terminal as the hub takes it. */
export interface KeyPair {
  readonly publicKey: string;
  readonly presharedKey: string | null;
}

/** One peer-to-be: a terminal's tunnel, or one of its probe tunnels. */
export interface HubSlot {
  readonly terminal: string;
  readonly slot: KeySlot;
  /** The one address that may be spoken from. */
  readonly address: string;
  /** The key of the terminals file: what was rotated since follows it, and is void where another stands there. */
  readonly registered: string;
  readonly current: KeyPair;
  readonly candidate: RotatedSlot['candidate'];
}

/** A peer of the interface, as WireGuard has it. */
export interface Peer extends KeyPair {
  /** null for a candidate: it may do nothing yet but shake hands. */
  readonly address: string | null;
}

/** Who speaks to the hub's service. */
export interface Speaker {
  readonly terminal: string;
  readonly uplink: string;
}

const mostComplaints = 20;

/** The terminals of a hub with the keys that it takes from each. */
export class Registry {
  readonly #slots = new Map<string, HubSlot>();
  readonly #owners = new Map<string, string>();
  readonly #speakers = new Map<string, Speaker>();
  readonly #terminals = new Map<string, readonly KeySlot[]>();

  /**
   * Out of the terminals file and the keys that were rotated since. Refuses keys and addresses that stand twice, and
   * names both: WireGuard itself takes them in silence, and the last one wins.
   *
   * Faults: SETTINGS_INVALID, with all complaints at once.
   */
  static build(
    terminals: HubTerminals,
    rotated: ReadonlyMap<string, RotatedTerminal>,
    hub: Pick<HubSettings, 'address' | 'probeAddress'> & { readonly publicKey: string },
  ): Result<Registry> {
    const registry = new Registry();
    const complaints: string[] = [];
    const names = new Claims('the name', complaints);
    const addresses = new Claims('the address', complaints);
    const keys = new Claims('the public key', complaints);
    addresses.claim(hub.address, 'this hub');
    addresses.claim(hub.probeAddress, 'this hub');
    keys.claim(hub.publicKey, 'this hub');
    registry.#owners.set(hub.publicKey, '');
    for (const terminal of terminals) {
      names.claim(terminal.terminal, `terminal ${terminal.terminal}`);
      const mine = rotated.get(terminal.terminal)?.slots ?? [];
      for (const slot of slotsOf(terminal, mine)) {
        const owner = `${terminal.terminal} (${slot.slot})`;
        if (!isIPv4(slot.address)) complaints.push(`${owner}: ${slot.address} is no IPv4 address`);
        addresses.claim(slot.address, owner);
        for (const key of keysOf(slot)) keys.claim(key, owner);
        registry.#add(slot);
      }
    }
    if (complaints.length > 0) {
      const more = complaints.length - mostComplaints;
      const listed = complaints.slice(0, mostComplaints);
      return fail('SETTINGS_INVALID', [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
    }
    return ok(registry);
  }

  get terminals(): readonly string[] {
    return [...this.#terminals.keys()];
  }

  /** The slots of one terminal, or of all; none for a terminal that is not known. */
  slots(terminal?: string): readonly HubSlot[] {
    if (terminal === undefined) return [...this.#slots.values()];
    return (this.#terminals.get(terminal) ?? []).flatMap((slot) => this.slot(terminal, slot) ?? []);
  }

  slot(terminal: string, slot: KeySlot): HubSlot | undefined {
    return this.#slots.get(idOf(terminal, slot));
  }

  /** Who it is by its address in a probe tunnel. */
  speaker(address: string): Speaker | undefined {
    return this.#speakers.get(address);
  }

  /** Whether anyone but this slot has the key, the hub itself included. */
  takenByOther(key: string, { terminal, slot }: HubSlot): boolean {
    const owner = this.#owners.get(key);
    return owner !== undefined && owner !== idOf(terminal, slot);
  }

  /** Puts a slot with other keys into the place of the one that was there. */
  replace(slot: HubSlot): void {
    const before = this.slot(slot.terminal, slot.slot);
    if (before !== undefined) for (const key of keysOf(before)) this.#owners.delete(key);
    this.#put(slot);
  }

  peers(): ReadonlyMap<string, Peer> {
    return new Map([...this.#slots.values()].flatMap(peersOf).map((peer) => [peer.publicKey, peer]));
  }

  #add(slot: HubSlot): void {
    this.#put(slot);
    this.#terminals.set(slot.terminal, [...(this.#terminals.get(slot.terminal) ?? []), slot.slot]);
    if (slot.slot !== 'tunnel')
      this.#speakers.set(slot.address, { terminal: slot.terminal, uplink: slot.slot.slice('probe-'.length) });
  }

  #put(slot: HubSlot): void {
    const id = idOf(slot.terminal, slot.slot);
    this.#slots.set(id, slot);
    for (const key of keysOf(slot)) this.#owners.set(key, id);
  }
}

/** The peers of a slot: the key in force, and the candidate where there is one. */
export function peersOf({ address, current, candidate }: HubSlot): Peer[] {
  const peers: Peer[] = [{ ...current, address }];
  if (candidate !== null) {
    const { publicKey, presharedKey } = candidate;
    peers.push({ publicKey, presharedKey, address: null });
  }
  return peers;
}

function slotsOf(terminal: HubTerminal, rotated: readonly RotatedSlot[]): HubSlot[] {
  const { address, publicKey, presharedKey, probes } = terminal;
  const all = [
    { slot: 'tunnel', address, publicKey, presharedKey },
    ...probes.map(({ uplink, ...rest }) => ({ slot: `probe-${uplink}`, ...rest })),
  ];
  return all.map(({ slot, address, publicKey: registered, presharedKey = null }) => {
    const since = rotated.find((one) => one.slot === slot && one.registered === registered);
    const current = since?.current ?? { publicKey: registered, presharedKey };
    const candidate = since?.candidate ?? null;
    return { terminal: terminal.terminal, slot, address, registered, current, candidate };
  });
}

/** Every key that nobody else may have; the registered one too, since it counts again when the others are lost. */
function keysOf({ registered, current, candidate }: HubSlot): readonly string[] {
  return [...new Set([registered, current.publicKey, ...(candidate === null ? [] : [candidate.publicKey])])];
}

function idOf(terminal: string, slot: KeySlot): string {
  return `${terminal}/${slot}`;
}

/** Who has claimed what; a second claim is a complaint that names both. */
class Claims {
  readonly #what: string;
  readonly #complaints: string[];
  readonly #owners = new Map<string, string>();

  constructor(what: string, complaints: string[]) {
    this.#what = what;
    this.#complaints = complaints;
  }

  claim(value: string, owner: string): void {
    const before = this.#owners.get(value);
    if (before === undefined) this.#owners.set(value, owner);
    else
      this.#complaints.push(`${before} and ${owner} have ${this.#what} ${value}; no two may have the same`);
  }
}
