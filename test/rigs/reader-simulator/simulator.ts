import type { ReaderProfile, SerialLinkProfile } from '#contracts/readers.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { seeded } from '../random.ts';
import { hostSpeed, type SerialReader, startSerialReader } from '../serial-reader.ts';
import { ElyctisModel } from './elyctis-model.ts';
import { type Lines, plainStyle, type Style } from './encode.ts';
import { type FaultName, otherSpeed, planRead, refusePlay, type Step } from './faults.ts';
import { ListenModel } from './listen-model.ts';
import type { ModelParts, ReaderModel, SignalName } from './model.ts';
import { received } from './uart.ts';

export interface SimulatorOptions {
  readonly profile: ReaderProfile;
  /** Where the device is to stand, as under /dev/serial/by-id. */
  readonly link: string;
  readonly clock: Clock;
  /** Decides all that is left to chance: the same seed plays the same faults. */
  readonly seed?: number;
  /** Faults of every read; `present` may order others for one. */
  readonly faults?: readonly FaultName[];
  readonly style?: Style;
  /**
   * What the host's port is set to beside its speed, which the pseudo-terminal tells (it forgets the rest). Without it,
   * what the profile says.
   */
  readonly host?: Partial<Pick<SerialLinkProfile, 'dataBits' | 'parity'>>;
  /** Hears in words what the host does to it; no document is in them. */
  readonly said?: (words: string) => void;
}

/** A reader of any serial family on a real pseudo-terminal, both ways, at its own speed. */
export interface ReaderSimulator extends SerialReader {
  readonly profile: ReaderProfile;
  /** Whether a document that is put on it now is read: some readers must be told to read. */
  readonly listening: boolean;
  /** Commands of the host that it understood, since it was started. */
  readonly commands: readonly Uint8Array[];
  /** Lights and beeps that it was told to give. */
  readonly signals: readonly SignalName[];
  /**
   * Puts a document on it. Resolves when all that comes of it has been sent; whether it was read. With the fault
   * `joined` the read is kept back and goes out in one piece with the next one.
   */
  present(lines: Lines, faults?: readonly FaultName[]): Promise<boolean>;
  /** Puts bytes on its line at its own speed, after what it sends already. `send` puts them at the host's end at once. */
  transmit(bytes: Uint8Array): void;
  /** Resolves when nothing waits to be sent any more. */
  idle(): Promise<void>;
}

interface Put {
  readonly lines: Lines;
  readonly faults: readonly FaultName[];
}

/** Starts it; throws USAGE where its profile or a fault cannot be played on a pseudo-terminal. */
export async function startReaderSimulator(options: SimulatorOptions): Promise<ReaderSimulator> {
  refuse(options.profile, options.faults ?? []);
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

class Simulator implements ReaderSimulator {
  readonly link: string;
  readonly profile: ReaderProfile;
  readonly commands: Uint8Array[] = [];
  readonly signals: SignalName[] = [];
  readonly #options: SimulatorOptions;
  readonly #random: () => number;
  readonly #model: ReaderModel<Put>;
  /** Its own line: that of its profile, unless it has the fault of another speed. */
  readonly #line: SerialLinkProfile;
  readonly #closing = new AbortController();
  #device: SerialReader | undefined;
  /** What a host that follows the profile sets its end to. */
  readonly #setSpeed: number;
  #held: Put | undefined;
  #saidSpeed: number | undefined;
  /** Counts how often it lost its power: what it was about to send is then lost too. */
  #outages = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: SimulatorOptions) {
    this.#options = options;
    this.link = options.link;
    this.profile = options.profile;
    this.#random = seeded(options.seed ?? 1);
    const { link } = options.profile;
    if (link.kind !== 'serial') throw new TypeError('refusePlay lets serial readers through only');
    this.#setSpeed = link.baudRate;
    this.#line = options.faults?.includes('wrong-baud')
      ? { ...link, baudRate: otherSpeed(link.baudRate, this.#random) }
      : link;
    const parts: ModelParts<Put> = {
      read: (put) => this.#read(put),
      answer: (bytes) => this.#play([{ kind: 'send', bytes, line: this.#line }]),
      command: (bytes) => {
        this.commands.push(bytes);
        this.#say(`it was sent ${Buffer.from(bytes).toString('hex')}`);
      },
      signal: (name) => {
        this.signals.push(name);
        this.#say(`it was told to light or beep: ${name}`);
      },
    };
    this.#model =
      options.profile.protocol.kind === 'elyctis'
        ? new ElyctisModel(parts)
        : new ListenModel(options.profile, parts);
  }

  get listening(): boolean {
    return this.#model.listening;
  }

  async start(): Promise<void> {
    this.#device = await startSerialReader({
      link: this.link,
      // A host that sets no speed hears it all the same.
      baudRate: this.#setSpeed,
      heard: (bytes) => this.#heard(bytes),
    });
  }

  async present(lines: Lines, faults: readonly FaultName[] = this.#options.faults ?? []): Promise<boolean> {
    refuse(this.profile, faults);
    const read = this.#model.put({ lines, faults });
    await this.idle();
    return read;
  }

  send(bytes: string | Uint8Array): void {
    this.#device?.send(bytes);
  }

  transmit(bytes: Uint8Array): void {
    this.#play([{ kind: 'send', bytes, line: this.#line }]);
  }

  async idle(): Promise<void> {
    // What is sent may make the reader send more.
    for (let turn; turn !== this.#turn;) {
      turn = this.#turn;
      await turn;
    }
  }

  async unplug(): Promise<void> {
    this.#outages++;
    this.#model.powerOn();
    await this.#device?.unplug();
  }

  async replug(): Promise<void> {
    await this.#device?.replug();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#outages++;
    await this.#turn;
    await this.#device?.close();
  }

  #read(put: Put): void {
    const before = this.#held;
    if (put.faults.includes('joined') && before === undefined) {
      this.#held = put;
      this.#say('kept back: it goes out with the next one');
      return;
    }
    this.#held = undefined;
    const documents = [...(before === undefined ? [] : [before.lines]), put.lines];
    const { profile, style = plainStyle } = this.#options;
    // Its own speed is wrong already; wrong once more might be right.
    const faults = put.faults.filter((name) => name !== 'wrong-baud' || !this.#isOff());
    const plan = planRead(documents, faults, { profile, style, line: this.#line, random: this.#random });
    this.#play(plan.steps, plan.played);
  }

  #say(words: string): void {
    this.#options.said?.(words);
  }

  #isOff(): boolean {
    return this.#options.faults?.includes('wrong-baud') ?? false;
  }

  #isCrossed(): boolean {
    return this.#options.faults?.includes('swapped') ?? false;
  }

  /** Steps of one read after those of the one before, as a reader does one thing after the other. */
  #play(steps: readonly Step[], played: readonly string[] = []): void {
    let outages = this.#outages;
    this.#turn = this.#turn.then(async () => {
      // In a silence the host may have set another speed; between the pieces of one read it is not asked: that takes
      // so long that the read would fall apart.
      let hostLine: SerialLinkProfile | undefined;
      for (const words of played) this.#say(words);
      for (const step of steps) {
        if (this.#outages !== outages) return;
        if (step.kind === 'rest') {
          await pause(this.#options.clock, ms(step.millis), this.#closing.signal);
          if (step.millis >= this.profile.idleMillis) hostLine = undefined;
        } else if (step.kind === 'unplug') {
          this.#say('its cable is pulled');
          await this.unplug();
          outages = this.#outages;
          await pause(this.#options.clock, ms(step.millis), this.#closing.signal);
          if (this.#closing.signal.aborted) return;
          await this.replug();
          hostLine = undefined;
          this.#say('it is plugged in again');
        } else if (!this.#isCrossed()) {
          hostLine ??= await this.#hostLine();
          this.#sayDifference(hostLine);
          this.#device?.send(received(step.bytes, step.line, hostLine));
        }
      }
    });
  }

  #heard(bytes: Uint8Array): void {
    if (this.#isCrossed()) return;
    const outages = this.#outages;
    this.#turn = this.#turn.then(async () => {
      const hostLine = await this.#hostLine();
      this.#sayDifference(hostLine);
      if (this.#outages === outages) this.#model.heard(received(bytes, hostLine, this.#line));
    });
  }

  /** Once for each: what is wrong is looked for in the wrong place otherwise. */
  #sayDifference({ baudRate }: SerialLinkProfile): void {
    if (this.#saidSpeed === baudRate) return;
    this.#saidSpeed = baudRate;
    if (baudRate !== this.#line.baudRate)
      this.#say(`it talks at ${this.#line.baudRate} baud, the other end is set to ${baudRate}`);
  }

  /** What the host's end of the line is set to. */
  async #hostLine(): Promise<SerialLinkProfile> {
    const { host = {} } = this.#options;
    const baudRate = (await hostSpeed(this.link)) ?? this.#setSpeed;
    return { ...this.#line, ...host, baudRate };
  }
}

function refuse(profile: ReaderProfile, faults: readonly FaultName[]): void {
  const playable = refusePlay(profile, faults);
  if (!playable.ok) throw toError(playable.fault);
}
