import type { Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { MonotonicTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import {
  type Budget,
  budgetLeft,
  fullProbeCost,
  millisUntil,
  openBudget,
  readBudget,
  reserve,
  type SavedBudget,
  saveBudget,
  smallProbeCost,
} from '../probes/budget.ts';
import { smallestEcho } from '../probes/echo-packet.ts';
import type { EchoListener, EchoReply, EchoSocket } from '../probes/echo-socket.ts';
import {
  advanceMtu,
  confirmNow,
  fullFailed,
  fullReplied,
  fullSent,
  fullTooLarge,
  type MtuSearch,
  startMtuSearch,
} from '../probes/mtu-search.ts';
import {
  type PathMeter,
  probeFailed,
  probeReplied,
  probeSent,
  timePassed,
  untestedPath,
} from '../probes/path-meter.ts';
import {
  detectSeconds,
  dueProbes,
  type LineRole,
  mayProbeFull,
  type ScheduledLine,
} from '../probes/schedule.ts';
import {
  confirmMillis,
  fullProbeSpent,
  saveUp,
  sizeConfirmed,
  sizeInDoubt,
  type SizeWatch,
  startSizeWatch,
} from '../probes/size-watch.ts';
import { pathReplied, readTraffic, type Traffic, watchTraffic } from '../probes/traffic.ts';
import type { StandingFaults } from './faults.ts';
import { probeName } from './names.ts';

/** What is known of one line by its probes. */
export interface LineView {
  readonly paths: readonly { readonly hub: string; readonly meter: PathMeter }[];
  readonly mtu: MtuSearch;
  readonly detectSeconds: number;
}

export interface ProberParts {
  readonly settings: Pick<UplinkSettings, 'interface' | 'uplinks' | 'hubs' | 'probe' | 'addresses'>;
  /** Opens a socket that belongs to this device. */
  readonly openSocket: (device: string, listener: EchoListener) => Promise<Result<EchoSocket>>;
  readonly clock: Clock;
  readonly faults: StandingFaults;
  readonly budgets: ReadonlyMap<string, SavedBudget>;
  /** A probe interface is not what it was: it must be looked after. */
  readonly onLost: () => void;
}

interface Line {
  readonly name: string;
  readonly device: string;
  readonly metered: boolean;
  readonly fullProbeMillis: number;
  readonly quietMillis: number;
  readonly meters: Map<string, PathMeter>;
  mtu: MtuSearch;
  sizes: SizeWatch;
  budget: Budget;
  socket: EchoSocket | undefined;
  /** Whether it ever had one: from then on a probe that cannot be sent for want of it is lost. */
  wasOpen: boolean;
  usable: boolean;
  sequence: number;
}

/** Sends the echoes of all lines, hears the replies, and keeps what they say. */
export class Prober {
  readonly #parts: ProberParts;
  readonly #lines: readonly Line[];
  #carrying: { readonly uplink: string; readonly hub: string } | undefined;
  #traffic: Traffic | undefined;
  #allDownSince: MonotonicTime | undefined;
  #wantedAt: MonotonicTime | undefined;

  constructor(parts: ProberParts) {
    this.#parts = parts;
    const { settings, clock, budgets } = parts;
    // IPv6 does not pass below 1280 (RFC 8200 section 5): where the tunnel has it, no smaller size is of use.
    const least = settings.addresses.some((address) => address.includes(':')) ? 1280 : 1200;
    this.#lines = settings.uplinks.map(({ name, metered, fullProbeMillis, quietSeconds }, at) => ({
      name,
      device: probeName(settings, at),
      metered,
      fullProbeMillis,
      quietMillis: quietSeconds * 1000,
      meters: new Map(settings.hubs.map((hub) => [hub.name, untestedPath(settings.probe)])),
      mtu: startMtuSearch(least),
      sizes: startSizeWatch(clock.monotonic()),
      budget: openBudget(budgets.get(name), settings.probe.meteredBytesPerMonth, clock.monotonic()),
      socket: undefined,
      wasOpen: false,
      usable: false,
      sequence: 0,
    }));
  }

  /** Opens the socket of a line, where it has none. The interface must be there. */
  async open(name: string): Promise<Result<void>> {
    const line = this.#line(name);
    if (line === undefined || line.socket !== undefined) return { ok: true, value: undefined };
    const { openSocket, onLost, faults } = this.#parts;
    const opened = await openSocket(line.device, {
      onReply: (reply) => this.#heard(line, reply),
      onError: (fault) => {
        line.socket = undefined;
        faults.note(`probes of ${name}`, { ok: false, fault });
        onLost();
      },
    });
    if (!opened.ok) return opened;
    line.socket = opened.value;
    line.wasOpen = true;
    return { ok: true, value: undefined };
  }

  /** The interface of the line was made anew: a socket that belongs to the one before hears nothing. */
  reopen(name: string): void {
    const line = this.#line(name);
    line?.socket?.close();
    if (line !== undefined) line.socket = undefined;
  }

  setUsable(name: string, usable: boolean): void {
    const line = this.#line(name);
    if (line === undefined || line.usable === usable) return;
    line.usable = usable;
    // What was measured before says nothing about it any more, and while it cannot be used nothing is measured.
    for (const hub of line.meters.keys()) line.meters.set(hub, untestedPath(this.#parts.settings.probe));
    line.mtu = confirmNow(line.mtu);
  }

  /** The address or router of a line is another one: what was known of its size must be asked anew. */
  changed(name: string): void {
    const line = this.#line(name);
    if (line !== undefined) line.mtu = confirmNow(line.mtu);
  }

  setCarrying(carrying: { readonly uplink: string; readonly hub: string } | undefined): void {
    if (carrying?.uplink === this.#carrying?.uplink && carrying?.hub === this.#carrying?.hub) return;
    this.#carrying = carrying;
    this.#traffic = undefined;
    const line = carrying === undefined ? undefined : this.#line(carrying.uplink);
    if (line !== undefined) line.sizes = sizeInDoubt(line.sizes);
  }

  /** What passed the tunnel of the hub that carries, by its counters. */
  witness(sentBytes: number, receivedBytes: number): void {
    const at = this.#parts.clock.monotonic();
    const reading = { at, sentBytes, receivedBytes };
    this.#traffic = this.#traffic === undefined ? watchTraffic(reading) : readTraffic(this.#traffic, reading);
  }

  /** What the device of a metered line has moved in all; to be told about once a second. */
  counted(name: string, counter: number | undefined): void {
    const line = this.#line(name);
    if (line?.metered !== true) return;
    line.budget = readBudget(
      line.budget,
      {
        at: this.#parts.clock.monotonic(),
        counter,
        standsBy: this.#carrying?.uplink !== name,
        doubled: this.#allDownSince !== undefined,
      },
      this.#parts.settings.probe.meteredBytesPerMonth,
    );
  }

  /** Every path is probed at once, metered ones too. */
  want(): void {
    this.#wantedAt = this.#parts.clock.monotonic();
  }

  savedBudgets(): Record<string, SavedBudget> {
    return Object.fromEntries(
      this.#lines.filter(({ metered }) => metered).map(({ name, budget }) => [name, saveBudget(budget)]),
    );
  }

  view(name: string): LineView | undefined {
    const line = this.#line(name);
    if (line === undefined) return undefined;
    const { probe } = this.#parts.settings;
    const paths = [...line.meters].map(([hub, meter]) => ({ hub, meter }));
    const slowest = Math.max(...paths.map(({ meter }) => meter.timeoutMillis));
    const wait = millisUntil(line.budget, smallProbeCost, probe.meteredBytesPerMonth);
    return {
      paths,
      mtu: line.mtu,
      detectSeconds: detectSeconds(
        this.#role(line),
        probe,
        { timeoutMillis: slowest, quietMillis: line.quietMillis },
        wait,
      ),
    };
  }

  /** To be called every 100 ms or so. */
  tick(): void {
    const { clock, settings } = this.#parts;
    const now = clock.monotonic();
    for (const line of this.#lines)
      for (const [hub, meter] of line.meters) line.meters.set(hub, timePassed(meter, now, settings.probe));
    const anyUp = this.#lines.some((line) => [...line.meters.values()].some(({ state }) => state === 'up'));
    this.#allDownSince = anyUp ? undefined : (this.#allDownSince ?? now);
    const due = dueProbes({
      now,
      lines: this.#lines.map((line) => this.#scheduled(line)),
      settings: settings.probe,
      traffic: this.#traffic,
      allDownSince: this.#allDownSince,
      wantedAt: this.#wantedAt,
    });
    for (const { uplink, hub } of due) this.#sendSmall(uplink, hub, now);
    for (const line of this.#lines) this.#advanceSize(line, now);
  }

  close(): void {
    for (const line of this.#lines) line.socket?.close();
  }

  #sendSmall(uplink: string, hub: string, now: MonotonicTime): void {
    const line = this.#line(uplink);
    const meter = line?.meters.get(hub);
    if (line === undefined || meter === undefined) return;
    const { probe } = this.#parts.settings;
    const sequence = ++line.sequence;
    const sent = this.#send(line, hub, sequence, smallestEcho);
    if (sent === 'sent') line.meters.set(hub, probeSent(meter, { sequence, at: now }, probe));
    else line.meters.set(hub, probeFailed(meter, now, probe));
    if (line.metered) line.budget = reserve(line.budget, smallProbeCost, now);
  }

  #advanceSize(line: Line, now: MonotonicTime): void {
    if (!line.usable || !mayProbeFull({ role: this.#role(line), budgetBytes: budgetLeft(line.budget) }))
      return;
    const hub = this.#hubForSize(line);
    const meter = hub === undefined ? undefined : line.meters.get(hub);
    if (hub === undefined || meter === undefined) return;
    line.sizes = saveUp(line.sizes, now);
    const passed = this.#passedBytes(line);
    const step = advanceMtu(line.mtu, now, {
      smallAnsweredAt: meter.lastReplyAt,
      pathUp: meter.state === 'up',
      timeoutMillis: meter.timeoutMillis,
      confirmMillis: confirmMillis(this.#role(line), line, line.sizes, passed),
    });
    if (step.search.confirmedAt !== line.mtu.confirmedAt) line.sizes = sizeConfirmed(line.sizes, passed);
    line.mtu = step.search;
    for (const size of step.send) {
      const sequence = ++line.sequence;
      line.sizes = fullProbeSpent(line.sizes);
      const sent = this.#send(line, hub, sequence, size);
      if (sent === 'sent') line.mtu = fullSent(line.mtu, { size, sequence, at: now });
      else if (sent === 'too-large') line.mtu = fullTooLarge(line.mtu, { size });
      else line.mtu = fullFailed(line.mtu);
      if (line.metered) line.budget = reserve(line.budget, fullProbeCost, now);
    }
    // A size is judged lost only when a small packet came back meanwhile, and where traffic spares the probe none would.
    const isAsked = meter.waiting.some(({ lost }) => !lost);
    if (step.wantsSmall && !isAsked && now - (meter.lastSentAt ?? -Infinity) >= 200)
      this.#sendSmall(line.name, hub, now);
  }

  /** What has passed the tunnel in all by the line that carries it. */
  #passedBytes(line: Line): number | undefined {
    if (this.#traffic === undefined || this.#carrying?.uplink !== line.name) return undefined;
    return this.#traffic.sentBytes + this.#traffic.receivedBytes;
  }

  #hubForSize(line: Line): string | undefined {
    const up = [...line.meters].filter(([, { state }]) => state === 'up').map(([hub]) => hub);
    const carrying = this.#carrying?.hub;
    return up.find((hub) => hub === carrying) ?? up[0] ?? line.meters.keys().next().value;
  }

  #send(line: Line, hub: string, sequence: number, size: number): 'sent' | 'too-large' | 'failed' {
    const { settings, faults, onLost } = this.#parts;
    const to = settings.hubs.find(({ name }) => name === hub)?.probeAddress;
    if (line.socket === undefined || to === undefined) return 'failed';
    const outcome = line.socket.send({ to, sequence, size });
    faults.note(`probes of ${line.name}`, outcome);
    if (!outcome.ok) return 'failed';
    if (outcome.value !== 'device-gone') return outcome.value;
    this.reopen(line.name);
    onLost();
    return 'failed';
  }

  #heard(line: Line, { from, sequence, size, at }: EchoReply): void {
    const hub = this.#parts.settings.hubs.find(({ probeAddress }) => probeAddress === from)?.name;
    const meter = hub === undefined ? undefined : line.meters.get(hub);
    if (hub === undefined || meter === undefined) return;
    if (size > smallestEcho) line.mtu = fullReplied(line.mtu, { sequence });
    else {
      line.meters.set(hub, probeReplied(meter, { sequence, at }, this.#parts.settings.probe));
      // The counters are told only when they move: after the last word nothing else would end the doubt.
      const carries = this.#carrying?.uplink === line.name && this.#carrying.hub === hub;
      if (carries && this.#traffic !== undefined) this.#traffic = pathReplied(this.#traffic, at);
    }
  }

  #scheduled(line: Line): ScheduledLine {
    return {
      uplink: line.name,
      role: this.#role(line),
      usable: line.usable && line.wasOpen,
      carries: this.#carrying?.uplink === line.name ? this.#carrying.hub : undefined,
      paths: [...line.meters].map(([hub, meter]) => ({ hub, meter })),
      quietMillis: line.quietMillis,
      budgetBytes: budgetLeft(line.budget),
    };
  }

  #role({ name, metered }: Line): LineRole {
    const role = this.#carrying?.uplink === name ? 'carrying' : 'standby';
    return metered ? `metered-${role}` : role;
  }

  #line(name: string): Line | undefined {
    return this.#lines.find((line) => line.name === name);
  }
}
