import { generateKeyPairSync } from 'node:crypto';
import { CommandOrder, commandType } from '#contracts/command.ts';
import { Desired, desiredType, type Reported } from '#contracts/configuration.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { parseTopic } from '#contracts/topics.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { toError } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import type { OrderLink, PublishOptions, Signer } from './ports.ts';

/** A message as the broker was given it. */
export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly options: PublishOptions;
}

/**
 * A broker with terminals behind it, for tests: they believe what the online key has signed for them, as real ones do. It
 * keeps the contract of the way to the broker (link-contract.rig.test.ts).
 */
export class FakeFleet implements OrderLink {
  readonly signer: Signer;
  readonly trusted: readonly TrustedKey[];
  /** The bureau’s offline key. */
  readonly offline: Signer;
  readonly sessions = new Map<string, number>();
  readonly retained = new Map<string, string>();
  readonly published: Published[] = [];
  away = false;
  readonly #terminals = new Map<string, RegisteredTerminal>();
  readonly #connected = new Set<() => void>();

  constructor() {
    const online = generateKeyPairSync('ed25519');
    const offline = generateKeyPairSync('ed25519');
    this.signer = { id: 'commands-1', key: online.privateKey };
    this.offline = { id: 'configuration-1', key: offline.privateKey };
    this.trusted = [
      { id: 'commands-1', role: 'commands', key: online.publicKey },
      { id: 'configuration-1', role: 'configuration', key: offline.publicKey },
    ];
  }

  readonly registry = {
    find: (terminal: string) => this.#terminals.get(terminal),
    all: () => [...this.#terminals.values()],
  };

  readonly session = (terminal: string): number | undefined => this.sessions.get(terminal);

  /** Registers terminals of one site; they are online, in session 1. */
  add(site: string, count: number): string[] {
    const names: string[] = [];
    for (let i = 1; i <= count; i++) {
      const terminal = `${site}-${i}`;
      this.#terminals.set(terminal, {
        terminal,
        bureau: site.slice(0, 3),
        site,
        siteName: site,
        certificate: '0'.repeat(64),
        enrolledAt: '2026-01-01T00:00:00.000Z',
      });
      this.sessions.set(terminal, 1);
      names.push(terminal);
    }
    return names;
  }

  revoke(terminal: string): void {
    this.#terminals.delete(terminal);
  }

  publish(topic: string, payload: string, options: PublishOptions): Promise<Result<void>> {
    if (this.away) return Promise.resolve(fail('BROKER_UNREACHABLE', 'It is away.'));
    this.published.push({ topic, payload, options });
    if (options.retain) this.retained.set(topic, payload);
    return Promise.resolve(ok(undefined));
  }

  onConnected(listener: () => void): () => void {
    this.#connected.add(listener);
    return () => this.#connected.delete(listener);
  }

  /** The broker is there, and tells so. */
  connect(): void {
    this.away = false;
    for (const listener of this.#connected) listener();
  }

  /** The broker starts again and has kept nothing. */
  restart(): void {
    this.retained.clear();
    this.connect();
  }

  /** What a terminal was told to run; undefined where there is nothing retained for it. */
  desired(terminal: string): Desired | undefined {
    const message = this.retained.get(`checkpost/1/${terminal}/desired`);
    if (message === undefined) return undefined;
    const desired = this.#open(message, desiredType, Desired);
    if (desired.terminal !== terminal) throw new Error(`It is for ${desired.terminal}`);
    return desired;
  }

  /** Commands that came to a terminal, in order. */
  orders(terminal?: string): (CommandOrder & { readonly options: PublishOptions })[] {
    return this.published
      .filter(({ topic }) => {
        const place = parseTopic(topic);
        return place?.channel === 'command' && (terminal === undefined || place.terminal === terminal);
      })
      .map(({ payload, options }) => ({ ...this.#open(payload, commandType, CommandOrder), options }));
  }

  #open<S extends typeof Desired | typeof CommandOrder>(message: string, payloadType: string, schema: S) {
    const opened = openEnvelope(JSON.parse(message), {
      payloadType,
      role: 'commands',
      trusted: this.trusted,
    });
    if (!opened.ok) throw toError(opened.fault);
    const parsed = parseJson(schema, opened.value.payload.toString('utf8'), 'MESSAGE_INVALID');
    if (!parsed.ok) throw toError(parsed.fault);
    return parsed.value;
  }
}

/** What a terminal says that it runs. */
export function running(version: number, more: Partial<Reported> = {}): Reported {
  return {
    v: 1,
    session: 1,
    running: version,
    state: 'current',
    since: '2026-01-15T08:00:00.000Z',
    refused: null,
    settings: [],
    ...more,
  };
}
