import { randomUUID } from 'node:crypto';
import { type Fleet, type FleetParts, startFleet } from '#agent/fleet/index.ts';
import { CommandOrder, type CommandResult, commandType } from '#contracts/command.ts';
import { SignedEnvelope } from '#contracts/configuration.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { fail, ok } from '#contracts/result.ts';
import { topic } from '#contracts/topics.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Slots } from '#runtime/slots.ts';
import { type Hurt, PlayedHealth } from './health.ts';
import { PlayedOutbox } from './outbox.ts';

export interface PlayedTerminalParts {
  readonly terminal: string;
  readonly tls: FleetParts['tls'];
  readonly settings: FleetParts['settings'];
  /** So long a condition waits at most before it shows, in seconds; as at a real terminal where left out. */
  readonly longestDelaySeconds?: number;
  /** Shared by all that are played in this process. */
  readonly handshakes: Slots;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/**
 * A terminal without a machine: the real agent's session with the controller, over TLS, with played health and played
 * items behind it. It can be hurt, and be cut off as by a power cut.
 */
export class PlayedTerminal {
  readonly id: string;
  readonly outbox = new PlayedOutbox();
  /** Health messages that the broker has taken. */
  reports = 0;
  readonly #parts: PlayedTerminalParts;
  readonly #health: PlayedHealth;
  #link: MqttLink | undefined;
  #lineCut = false;
  #boot = randomUUID();
  #session: number;
  #fleet: Fleet | undefined;
  #cancelDue = (): void => {};

  constructor(parts: PlayedTerminalParts) {
    this.id = parts.terminal;
    this.#parts = parts;
    const now = parts.clock.wall();
    // Its numbers rise over every run without a file that keeps them: nobody begins a thousand sessions in a second.
    this.#session = now;
    this.#health = new PlayedHealth(parts.random, now, parts.longestDelaySeconds);
  }

  get running(): boolean {
    return this.#fleet !== undefined;
  }

  get connected(): boolean {
    return this.#fleet?.state() === 'connected';
  }

  get hurts(): readonly Hurt[] {
    return this.#health.hurts;
  }

  start(): void {
    if (this.#fleet !== undefined) return;
    const { terminal, tls, settings, clock, random, log } = this.#parts;
    this.#fleet = startFleet({
      settings,
      tls,
      terminal,
      version: '0.1.0',
      bootId: this.#boot,
      outbox: this.outbox,
      session: () => ok(++this.#session),
      health: {
        measure: async () =>
          this.#health.report(clock.wall(), {
            depth: this.outbox.depth(),
            oldestAt: this.outbox.oldestAt() ?? null,
          }),
        now: () => instant(clock.wall()),
      },
      onCommand: (text, about) => void this.#command(text, about.correlation),
      clock,
      random,
      log,
      open: (options, listener) => this.#open(options, listener),
    });
  }

  /** As by a power cut: no goodbye, the broker sends the will. It is another boot when it starts again. */
  async cutPower(): Promise<void> {
    const fleet = this.#fleet;
    this.#fleet = undefined;
    this.#cancelDue();
    this.#boot = randomUUID();
    this.#health.boot(this.#parts.clock.wall());
    this.#drop();
    await fleet?.close();
  }

  async stop(): Promise<void> {
    const fleet = this.#fleet;
    this.#fleet = undefined;
    this.#cancelDue();
    await fleet?.close();
  }

  /** Every uplink is cut: what it has to say waits until `mendLine`. */
  cutLine(): void {
    this.#lineCut = true;
    this.#drop();
  }

  mendLine(): void {
    this.#lineCut = false;
  }

  hurt(what: Hurt): void {
    this.#health.hurt(what, this.#parts.clock.wall());
    this.#tell();
  }

  heal(what?: Hurt): void {
    this.#health.heal(what);
    this.#tell();
  }

  owe(item: OwedItem): number {
    return this.outbox.owe(item, { at: instant(this.#parts.clock.wall()), clock: 'verified' });
  }

  async #open(...[options, listener]: Parameters<typeof openMqttLink>): ReturnType<typeof openMqttLink> {
    const cut = fail('BROKER_UNREACHABLE', 'Every uplink is cut.');
    if (this.#lineCut) return cut;
    const free = await this.#parts.handshakes.take();
    const opened = await openMqttLink(options, listener);
    free?.();
    if (!opened.ok) return opened;
    const link = opened.value;
    const health = topic(this.id, 'health');
    const own: MqttLink = {
      publish: async (name, payload, how) => {
        const sent = await link.publish(name, payload, how);
        if (sent.ok && name === health) this.reports++;
        return sent;
      },
      subscribe: (filters) => link.subscribe(filters),
      end: () => link.end(),
      drop: () => {
        link.drop();
        // A link that is dropped says nothing by itself: the agent is told as by a dead line.
        listener.lost(cut.fault, 'line');
      },
    };
    if (this.#lineCut) {
      link.drop();
      return cut;
    }
    this.#link = own;
    return ok(own);
  }

  #drop(): void {
    this.#link?.drop();
    this.#link = undefined;
  }

  /** Reports what changed now, and again when a condition's delay is over. */
  #tell(): void {
    this.#fleet?.changed();
    this.#cancelDue();
    const due = this.#health.nextDue(this.#parts.clock.wall());
    if (due !== undefined) this.#cancelDue = this.#parts.clock.after(ms(due + 20), () => this.#tell());
  }

  /** Played without looking at the signature: every command ends well, and nothing is done. */
  async #command(text: string, correlation: Uint8Array | undefined): Promise<void> {
    const envelope = parseJson(SignedEnvelope, text, 'MESSAGE_INVALID');
    if (!envelope.ok || envelope.value.payloadType !== commandType) return;
    const payload = Buffer.from(envelope.value.payload, 'base64').toString('utf8');
    const order = parseJson(CommandOrder, payload, 'MESSAGE_INVALID');
    if (!order.ok) return;
    const { id, command } = order.value;
    if (command.kind === 'report-now') await this.#fleet?.reportNow();
    const detail = 'Played: nothing was done.';
    const result: CommandResult = { v: 1, id, state: 'done', detail };
    await this.#fleet?.answer(JSON.stringify(result), correlation === undefined ? {} : { correlation });
    this.owe({ kind: 'command', command: id, state: 'done', detail });
  }
}
