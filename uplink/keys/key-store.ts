import { randomFillSync } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { newPrivateKey, openKey, readKey, readSecret } from './key-file.ts';
import { readSlotFile, type SlotFile, writeSlotFile } from './slot-file.ts';
import { hubOf, type Slot, slotsOf } from './slots.ts';

/** The key in force, or the one that is to follow it. */
export type Which = 'current' | 'next';

/** What may be known of a slot. */
export interface SlotView {
  readonly publicKey: string;
  /** Public half of the key that is being brought into force; null where there is none. */
  readonly next: string | null;
  /** Whether every hub was told of `next`. */
  readonly offered: boolean;
  /** The one that the interface is to have. */
  readonly applied: Which;
  /** When `current` came into force: by a clock that may have been wrong; null where nobody knows. */
  readonly since: WallTime | null;
}

type KeySettings = Pick<UplinkSettings, 'state' | 'privateKey' | 'presharedKeys' | 'hubs' | 'uplinks'>;

interface StoreParts {
  readonly clock: Pick<Clock, 'wall'>;
  readonly random?: (bytes: Uint8Array) => Uint8Array;
}

/**
 * The keys of this terminal by slot, each in a file of its own below `state/keys/SLOT`, mode 0600: `N.key` and, for
 * each hub, `N.HUB.psk`. The first key of every tunnel is that of the enrolment and stays where it lies; a probe's is
 * made here. Where the terminal was enrolled anew, what was rotated since the enrolment before is void.
 *
 * Faults of all: CREDENTIAL_UNREADABLE, FILE_REFUSED.
 */
export class KeyStore {
  readonly #settings: KeySettings;
  readonly #parts: StoreParts;
  readonly #files = new Map<Slot, SlotFile>();

  private constructor(settings: KeySettings, parts: StoreParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Opens every slot, and makes what is missing. */
  static async open(settings: KeySettings, parts: StoreParts): Promise<Result<KeyStore>> {
    const store = new KeyStore(settings, parts);
    for (const slot of slotsOf(settings)) {
      const opened = await store.#open(slot);
      if (!opened.ok) return opened;
    }
    return ok(store);
  }

  get slots(): readonly Slot[] {
    return [...this.#files.keys()];
  }

  view(slot: Slot): Result<SlotView> {
    const file = this.#file(slot);
    const current = readKey(this.keyFile(slot, 'current')) ?? missing(this.keyFile(slot, 'current'));
    if (!current.ok) return current;
    let next: string | null = null;
    if (file.next !== null) {
      const read = readKey(this.keyFile(slot, 'next')) ?? missing(this.keyFile(slot, 'next'));
      if (!read.ok) return read;
      next = read.value.publicKey;
    }
    const { publicKey } = current.value;
    const { offered, applied } = file;
    return ok({ publicKey, next, offered, applied, since: this.#since(slot) });
  }

  /** The file with the private key in text, as `wg` reads it. Its path stays the same when `next` becomes `current`. */
  keyFile(slot: Slot, which: Which = this.#file(slot).applied): string {
    const generation = this.#file(slot)[which];
    return generation === null ? this.#settings.privateKey : join(this.#folder(slot), `${generation}.key`);
  }

  /** The file with the preshared key of this hub, or null where there is none. */
  presharedKeyFile(slot: Slot, hub: string, which: Which = this.#file(slot).applied): string | null {
    const generation = this.#file(slot)[which];
    const own = generation === null ? undefined : this.#pskFile(slot, generation, hub);
    if (own !== undefined && exists(own)) return own;
    const enrolled = this.#enrolledPsk(hub);
    return enrolled !== undefined && exists(enrolled) ? enrolled : null;
  }

  /** For the configuration that `wg` reads from its standard input, and for nothing else. */
  privateKeyText(slot: Slot, which?: Which): Result<string> {
    const file = this.keyFile(slot, which);
    return readSecret(file) ?? missing(file);
  }

  /** The same of the preshared key, for that configuration and for the hub itself; null where there is none. */
  presharedKeyText(slot: Slot, hub: string, which?: Which): Result<string | null> {
    const file = this.presharedKeyFile(slot, hub, which);
    return file === null ? ok(null) : (readSecret(file) ?? missing(file));
  }

  /** Makes the key that is to follow, where there is none, and a preshared one for each of these hubs: durable. */
  async makeNext(slot: Slot, hubs: readonly string[]): Promise<Result<void>> {
    const file = this.#file(slot);
    const generation = file.next ?? this.#unusedGeneration(slot);
    if (file.next === null) {
      const written = await this.#write(join(this.#folder(slot), `${generation}.key`), newPrivateKey());
      if (!written.ok) return written;
    }
    for (const hub of hubs) {
      const psk = this.#pskFile(slot, generation, hub);
      if (exists(psk)) continue;
      const written = await this.#write(psk, this.#newPresharedKey());
      if (!written.ok) return written;
    }
    return file.next === null ? this.#save(slot, { ...file, next: generation }) : ok(undefined);
  }

  /** Remembers which key the interface is given, before it is given it: `next` only when every hub knows it. */
  async setApplied(slot: Slot, applied: Which): Promise<Result<void>> {
    const file = this.#file(slot);
    if (file.applied === applied) return ok(undefined);
    if (applied === 'next' && file.next === null)
      return fail('INTERNAL', `${slot}: there is no new key to be used`);
    return this.#save(slot, { ...file, applied, offered: file.offered || applied === 'next' });
  }

  /** Makes `next` the one in force, in one step, and then removes the one before. */
  async finish(slot: Slot): Promise<Result<void>> {
    const file = this.#file(slot);
    if (file.next === null) return fail('INTERNAL', `${slot}: there is no new key to be kept`);
    const since = instant(this.#parts.clock.wall());
    const saved = await this.#save(slot, {
      ...file,
      current: file.next,
      next: null,
      offered: false,
      applied: 'current',
      since,
    });
    return saved.ok ? this.#sweep(slot) : saved;
  }

  /**
   * The public keys that the hubs must know: of the enrolment (`tunnel`), of each tunnel by hub, which is the same
   * until the first rotation, and of each probe by uplink.
   */
  publicKeys(): Result<{
    readonly tunnel: string;
    readonly tunnels: Readonly<Record<string, string>>;
    readonly probes: Readonly<Record<string, string>>;
  }> {
    const enrolment = readKey(this.#settings.privateKey) ?? missing(this.#settings.privateKey);
    if (!enrolment.ok) return enrolment;
    const tunnels: Record<string, string> = {};
    const probes: Record<string, string> = {};
    for (const slot of this.slots) {
      const view = this.view(slot);
      if (!view.ok) return view;
      const hub = hubOf(slot);
      if (hub === undefined) probes[slot.slice('probe-'.length)] = view.value.publicKey;
      else tunnels[hub] = view.value.publicKey;
    }
    return ok({ tunnel: enrolment.value.publicKey, tunnels, probes });
  }

  async #open(slot: Slot): Promise<Result<void>> {
    const folder = this.#folder(slot);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      return fail('FILE_REFUSED', `${folder}: ${systemCode(cause) ?? 'cannot be made'}`, cause);
    }
    let enrolment: string | null = null;
    if (hubOf(slot) !== undefined) {
      const key = openKey(this.#settings.privateKey);
      if (!key.ok) return key;
      enrolment = key.value.publicKey;
    }
    const found = readSlotFile(join(folder, 'slot.json'));
    if (found !== undefined && !found.ok) return found;
    if (found?.value.enrolment === enrolment) {
      this.#files.set(slot, found.value);
      const whole = this.#whole(slot);
      return whole.ok ? this.#sweep(slot) : whole;
    }
    return this.#begin(slot, enrolment);
  }

  /** A slot that was not there, or that followed another enrolment. */
  async #begin(slot: Slot, enrolment: string | null): Promise<Result<void>> {
    const begun: SlotFile = {
      v: 1,
      enrolment,
      current: null,
      next: null,
      offered: false,
      applied: 'current',
      since: null,
    };
    if (enrolment !== null) {
      const saved = await this.#save(slot, begun);
      return saved.ok ? this.#sweep(slot) : saved;
    }
    // Two processes may do this at once (the service, and an engineer who asks for the public keys): they find one key.
    const key = openKey(join(this.#folder(slot), '1.key'));
    if (!key.ok) return key;
    return this.#save(slot, { ...begun, current: 1, since: instant(this.#parts.clock.wall()) });
  }

  #whole(slot: Slot): Result<void> {
    const view = this.view(slot);
    return view.ok ? ok(undefined) : view;
  }

  /** Removes keys that the slot does not name any more: rests of a rotation that was cut off, or the old ones. */
  async #sweep(slot: Slot): Promise<Result<void>> {
    const folder = this.#folder(slot);
    const { current, next } = this.#file(slot);
    try {
      for (const name of readdirSync(folder)) {
        const generation = /^(\d+)\..*(key|psk)$/.exec(name)?.[1];
        const rest = name.startsWith('.') && name.endsWith('.new');
        const named = generation === undefined || [current, next].includes(Number(generation));
        if (rest || !named) rmSync(join(folder, name), { force: true });
      }
      return ok(undefined);
    } catch (cause) {
      return fail('FILE_REFUSED', `${folder}: ${systemCode(cause) ?? 'cannot be swept'}`, cause);
    }
  }

  #since(slot: Slot): WallTime | null {
    const { since, current } = this.#file(slot);
    if (since !== null) return wall(Date.parse(since));
    if (current !== null) return null;
    try {
      return wall(statSync(this.#settings.privateKey).mtimeMs);
    } catch {
      return null;
    }
  }

  #unusedGeneration(slot: Slot): number {
    const { current, next } = this.#files.get(slot) ?? { current: null, next: null };
    let generation = Math.max(current ?? 0, next ?? 0) + 1;
    // A rest of a rotation that was cut off is never written over: an interface may still use it.
    while (exists(join(this.#folder(slot), `${generation}.key`))) generation++;
    return generation;
  }

  #newPresharedKey(): string {
    const bytes = new Uint8Array(32);
    (this.#parts.random ?? randomFillSync)(bytes);
    return Buffer.from(bytes).toString('base64');
  }

  #write(file: string, secret: string): Promise<Result<void>> {
    return replaceFile(file, Buffer.from(`${secret}\n`), 0o600);
  }

  async #save(slot: Slot, file: SlotFile): Promise<Result<void>> {
    const written = await writeSlotFile(join(this.#folder(slot), 'slot.json'), file);
    if (written.ok) this.#files.set(slot, file);
    return written;
  }

  #file(slot: Slot): SlotFile {
    const file = this.#files.get(slot);
    if (file === undefined) throw new TypeError(`${slot} is no slot of this terminal`);
    return file;
  }

  #folder(slot: Slot): string {
    return join(this.#settings.state, 'keys', slot);
  }

  #pskFile(slot: Slot, generation: number, hub: string): string {
    return join(this.#folder(slot), `${generation}.${hub}.psk`);
  }

  #enrolledPsk(hub: string): string | undefined {
    const folder = this.#settings.presharedKeys;
    return folder === undefined ? undefined : join(folder, `${hub}.psk`);
  }
}

function missing(file: string): Result<never> {
  return fail('CREDENTIAL_UNREADABLE', `${file}: is not there`);
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
