import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Desired, desiredType, limitsType } from '#contracts/configuration.ts';
import { ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { type Envelope, signEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { parseSettings } from '#runtime/settings.ts';
import type { TestClock } from '#runtime/test-clock.ts';
import { type Attached, Configuration, type Surroundings } from './configuration.ts';
import { ConfigurationFiles } from './files.ts';
import { pathsIn } from './merge.ts';
import type { ConfigurationEvent } from './standing.ts';
import type { ReaderNow } from './witnesses.ts';

/** For the tests of this room: a bureau that signs, and a terminal whose surroundings a test sets by hand. */

const online = generateKeyPairSync('ed25519');
const offline = generateKeyPairSync('ed25519');
export const trusted: readonly TrustedKey[] = [
  { id: 'online', role: 'commands', key: online.publicKey },
  { id: 'offline', role: 'configuration', key: offline.publicKey },
];
const signers: Readonly<Record<string, KeyObject>> = {
  online: online.privateKey,
  offline: offline.privateKey,
};

export const written = {
  terminal: 'UTO-0001-1',
  bureau: 'UTO',
  site: 'UTO-0001',
  state: '/var/lib/checkpost',
  keys: '/etc/checkpost/keys',
  tls: { authority: '/a', certificate: '/c', key: '/k' },
  central: { url: 'https://central.test' },
  fleet: { url: 'mqtts://old.test' },
  edition: { folder: '/var/lib/checkpost/edition' },
  readers: [{ id: 'counter-1', device: '/dev/old' }],
};

export function settingsOf(given: unknown = written): AgentSettings {
  const parsed = parseSettings(AgentSettings, given, 'agent.json');
  if (!parsed.ok) throw toError(parsed.fault);
  return parsed.value;
}

export function sign(payload: unknown, { by = 'online', type = desiredType } = {}): Envelope {
  const key = signers[by];
  if (key === undefined) throw new Error(`no signer ${by}`);
  return signEnvelope(type, Buffer.from(JSON.stringify(payload)), { id: by, key });
}

export const limits = (version: number, scope: unknown, policy: object, by = 'offline'): Envelope =>
  sign({ v: 1, version, scope, values: { policy } }, { by, type: limitsType });

export function desired(version: number, more: object = {}): Desired {
  return {
    v: 1,
    terminal: written.terminal,
    version,
    at: '2026-01-15T08:00:00.000Z',
    layers: [],
    limits: [],
    uplink: null,
    ...more,
  };
}

/** A configuration with these values for the whole fleet, as it comes on the topic. */
export const message = (version: number, values: object, more: object = {}): string =>
  JSON.stringify(sign(desired(version, { layers: [{ scope: { layer: 'fleet' }, values }], ...more })));

export const otherBroker = { fleet: { url: 'mqtts://new.test' } };

/** One terminal over all the starts of its agent. */
export class TestTerminal {
  readonly folder: string;
  readonly clock: TestClock;
  readonly events: ConfigurationEvent[] = [];
  readonly uplinks: unknown[] = [];
  boot = 'boot-1';
  given: object = written;
  check: (settings: AgentSettings) => Result<unknown> = () => ok(undefined);
  replace = replaceFile;
  trusted = trusted;
  connected = false;
  oldWorks = false;
  lookups = false;
  oldLookups = false;
  readers: ReaderNow[] = [{ id: 'counter-1', device: '/dev/old', state: 'ready' }];
  present = new Set<string>(['counter-1']);
  applyUplink: () => Result<void> = () => ok(undefined);
  restarts = 0;
  #configuration: Configuration | undefined;
  #attached: Attached | undefined;

  constructor(folder: string, clock: TestClock) {
    this.folder = folder;
    this.clock = clock;
  }

  get configuration(): Configuration {
    if (this.#configuration === undefined) throw new Error('it does not run');
    return this.#configuration;
  }

  get attached(): Attached {
    if (this.#attached === undefined) throw new Error('its agent does not run');
    return this.#attached;
  }

  /** `7 probation`. */
  get state(): string {
    const { version, state } = this.configuration.view();
    return `${version} ${state}`;
  }

  get told(): string[] {
    return this.events.map(({ version, state, code }) => [version, state, code].filter(Boolean).join(' '));
  }

  /** A new process, as after a power cut, a crash or a start in order. */
  async process(): Promise<void> {
    await this.#attached?.close();
    this.#attached = undefined;
    this.#configuration = new Configuration({
      enrolled: { settings: settingsOf(this.given), given: pathsIn(this.given) },
      files: new ConfigurationFiles(this.folder, (...args) => this.replace(...args)),
      trusted: this.trusted,
      check: (settings) => this.check(settings),
      boot: this.boot,
      clock: this.clock,
      log: silentLog,
      onRestart: () => {
        this.restarts += 1;
      },
    });
    await this.agent();
  }

  /** The agent is started, or started again within its process. */
  async agent(): Promise<void> {
    await this.#attached?.close();
    await this.configuration.begin();
    this.attach();
    await this.configuration.started();
  }

  attach(): void {
    const around: Surroundings = {
      readers: () => this.readers,
      present: async () => this.present,
      connected: () => this.connected,
      oldWorks: async () => this.oldWorks,
      lookups: () => this.lookups,
      oldLookups: async () => this.oldLookups,
      applyUplink: async (envelope) => {
        const applied = this.applyUplink();
        this.uplinks.push(envelope);
        return applied;
      },
      onEvent: (event) => {
        this.events.push(event);
      },
      changed: () => {},
    };
    this.#attached = this.configuration.attach(around);
  }

  /** Takes a message, and starts the agent again where that is asked for; the code of the fault, or what came of it. */
  async take(text: string): Promise<string> {
    const before = this.restarts;
    const taken = await this.attached.take(text);
    if (this.restarts > before) await this.agent();
    return taken.ok ? taken.value : taken.fault.code;
  }

  /** Lets time pass, in steps between which the files are written. */
  async pass(millis: number): Promise<void> {
    let left = millis;
    do {
      const step = Math.min(left, 30_000);
      await this.clock.advance(step);
      await this.#configuration?.settled();
      left -= step;
    } while (left > 0);
  }

  async close(): Promise<void> {
    await this.#attached?.close();
  }
}
