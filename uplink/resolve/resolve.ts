import { isIP } from 'node:net';
import type { Hub } from '#contracts/settings/uplink.ts';
import type { MonotonicTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { type Answer, askName, type Question } from './ask.ts';
import { Candidates, type Heard } from './candidates.ts';
import { type Endpoint, type HubTarget, hubTarget } from './endpoint.ts';
import type { KeptAddress } from './kept.ts';

/** An uplink by which a name can be asked for: it has an address and a way to send to. */
export interface AskingLine {
  readonly name: string;
  /** Its own addresses, without prefix length. */
  readonly addresses: readonly string[];
}

/** How DNS was, over one uplink, when it was last asked. */
export interface LineDns {
  readonly answer: Answer;
  readonly at: MonotonicTime;
}

export interface ResolverParts {
  readonly hubs: readonly Pick<Hub, 'name' | 'endpoint' | 'pinned'>[];
  readonly servers: readonly string[];
  readonly kept: readonly KeptAddress[];
  readonly clock: Clock;
  readonly random: () => number;
  /** The address of some hub is another one now. */
  readonly changed: (endpoints: ReadonlyMap<string, Endpoint>) => void;
  /** A hub has answered at another address than is kept. */
  readonly keep: (kept: readonly KeptAddress[]) => void;
  /** How a question is asked; another one in tests. */
  readonly ask?: (question: Question) => Promise<Answer>;
}

interface Searched {
  readonly target: HubTarget;
  readonly candidates: Candidates;
  asking: boolean;
}

/** Finds the addresses of the hubs, and finds them anew while they are silent. */
export class HubResolver {
  readonly #parts: ResolverParts;
  readonly #hubs: readonly Searched[];
  readonly #dns = new Map<string, LineDns>();
  #lines: readonly AskingLine[] = [];
  #known: string;
  #kept: string;
  #closed = false;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
    this.#hubs = parts.hubs.map((hub) => {
      const target = hubTarget(hub);
      // Another name is another machine: what was kept of the old one is not tried.
      const kept = parts.kept.find((one) => one.hub === target.name && one.host === target.host);
      return { target, candidates: new Candidates(target, kept?.address, parts.random), asking: false };
    });
    this.#known = JSON.stringify([...this.endpoints]);
    this.#kept = JSON.stringify(this.#good());
  }

  /** Where packets to each hub are to be sent; a hub without an address yet is left out. */
  get endpoints(): ReadonlyMap<string, Endpoint> {
    return new Map(
      this.#hubs.flatMap(({ target, candidates }) => {
        const { address } = candidates;
        return address === undefined ? [] : [[target.name, { address, port: target.port }] as const];
      }),
    );
  }

  /** Whether some hub has no address at all: it cannot even be probed. */
  get isLacking(): boolean {
    return this.#hubs.some(({ candidates }) => candidates.address === undefined);
  }

  /** Whether some hub is known by name only. */
  get needsNames(): boolean {
    return this.#hubs.some(({ target }) => target.literal === undefined);
  }

  /** How DNS was over this uplink when it was last asked; undefined where it was not. */
  dnsOver(line: string): LineDns | undefined {
    return this.#dns.get(line);
  }

  /**
   * To be called about once a second with the usable uplinks, the preferred one first, and how each hub is. Starts what
   * is due and does not wait for it.
   */
  look(lines: readonly AskingLine[], heard: ReadonlyMap<string, Heard>): void {
    if (this.#closed) return;
    this.#lines = lines;
    const now = this.#parts.clock.monotonic();
    for (const hub of this.#hubs) {
      hub.candidates.look(heard.get(hub.target.name) ?? 'unknown', this.#families(), now);
      if (lines.length > 0 && !hub.asking && this.#parts.servers.length > 0 && hub.candidates.isDue(now))
        void this.#search(hub);
    }
    this.#tell();
  }

  /** Asks for the name of a hub over this one uplink, to see whether DNS answers there; nothing where none has a name. */
  async test(line: AskingLine): Promise<void> {
    const named = this.#hubs.find(({ target }) => target.literal === undefined);
    if (named !== undefined && this.#parts.servers.length > 0) await this.#ask(line, named.target.host);
  }

  /** The addresses of any name, asked for over one uplink: for the portal check. */
  async lookup(line: AskingLine, name: string): Promise<readonly string[]> {
    const answer = await this.#ask(line, name);
    return answer.result === 'answered' ? answer.addresses : [];
  }

  /** Nothing is reported any more; a question under way is left to end by itself. */
  close(): void {
    this.#closed = true;
  }

  /** Asks over each usable uplink in order until one gives an address. */
  async #search(hub: Searched): Promise<void> {
    const { clock } = this.#parts;
    hub.asking = true;
    hub.candidates.asked(clock.monotonic());
    try {
      for (const line of this.#lines) {
        const answer = await this.#ask(line, hub.target.host);
        if (this.#closed) return;
        if (answer.result !== 'answered' || answer.addresses.length === 0) continue;
        hub.candidates.answered(answer.addresses, this.#families(), clock.monotonic());
        this.#tell();
        return;
      }
    } finally {
      hub.asking = false;
    }
  }

  async #ask(line: AskingLine, name: string): Promise<Answer> {
    const ask = this.#parts.ask ?? askName;
    const answer = await ask({ name, servers: this.#parts.servers, localAddresses: line.addresses });
    this.#dns.set(line.name, { answer, at: this.#parts.clock.monotonic() });
    return answer;
  }

  /** Families of which some usable uplink has an address; all while none is usable, so that nothing is given up. */
  #families(): ReadonlySet<number> {
    const found = new Set(this.#lines.flatMap(({ addresses }) => addresses.map((address) => isIP(address))));
    return found.size === 0 ? new Set([4, 6]) : found;
  }

  #good(): readonly KeptAddress[] {
    return this.#hubs.flatMap(({ target, candidates }) => {
      const { good } = candidates;
      return good === undefined ? [] : [{ hub: target.name, host: target.host, address: good }];
    });
  }

  #tell(): void {
    const { endpoints } = this;
    const known = JSON.stringify([...endpoints]);
    if (known !== this.#known) {
      this.#known = known;
      this.#parts.changed(endpoints);
    }
    const good = this.#good();
    const kept = JSON.stringify(good);
    if (kept === this.#kept) return;
    this.#kept = kept;
    this.#parts.keep(good);
  }
}
