import { request } from 'node:http';
import type { Alert } from '#contracts/api/alerts.ts';
import type { HitRow, TerminalDetail, TimelineEvent } from '#contracts/api/fleet.ts';
import type { Layer, TerminalConfiguration } from '#contracts/api/orders.ts';
import type { LayerValues, Reported, SignedEnvelope } from '#contracts/configuration.ts';
import { eventually } from '../eventually.ts';

/** An operator at the centre of a site, who asks its REST API through a Unix socket: namespaces are no hindrance there. */
export class CentreDesk {
  readonly #socketPath: string;
  readonly #terminal: string;
  /** Of the terminal's own layer. */
  #layerVersion = 0;

  constructor(socketPath: string, terminal: string) {
    this.#socketPath = socketPath;
    this.#terminal = terminal;
  }

  detail(): Promise<TerminalDetail> {
    return this.#ask('GET', `/terminals/${this.#terminal}`);
  }

  /** What is shown in the row of the terminal: `line-no-carrier dsl`. */
  async conditions(): Promise<string[]> {
    const { row } = await this.detail();
    return row.conditions.map(({ code, subject }) => (subject === undefined ? code : `${code} ${subject}`));
  }

  /** Codes of the alerts that are open: nobody is told of the others. */
  async openAlerts(): Promise<string[]> {
    const alerts = await this.#ask<Alert[]>('GET', '/alerts');
    return alerts.filter(({ state }) => state === 'open').map(({ code }) => code);
  }

  /** Every condition that came to be shown since, for however short a time, oldest first, in words. */
  async conditionsSince(since: number): Promise<string[]> {
    const events = await this.#ask<TimelineEvent[]>('GET', `/events?terminal=${this.#terminal}`);
    const begun = events.filter(({ kind, at, text }) => {
      return kind === 'condition' && Date.parse(at) >= since && !text.startsWith('Over: ');
    });
    return begun.map(({ text }) => text).toReversed();
  }

  hits(): Promise<HitRow[]> {
    return this.#ask('GET', '/hits');
  }

  configuration(): Promise<TerminalConfiguration> {
    return this.#ask('GET', `/terminals/${this.#terminal}/configuration`);
  }

  /** Sets all that the terminal's own layer says; the version of the configuration that is wanted from then on. */
  async put(values: LayerValues): Promise<number> {
    const scope = { layer: 'terminal', key: this.#terminal } as const;
    const before = await this.#wanted();
    const change = { scope, base: this.#layerVersion, values, note: 'a test' };
    this.#layerVersion = (await this.#ask<Layer>('PUT', '/layers', change)).version;
    return this.#newer(before);
  }

  /** Gives an envelope of the offline key to the centre; as `put`. */
  async putUplinks(envelope: SignedEnvelope): Promise<number> {
    const before = await this.#wanted();
    await this.#ask('PUT', '/uplinks', { envelope });
    return this.#newer(before);
  }

  /** Waits until the terminal is online and says of its configuration what is wanted of it. */
  async says(what: string, wanted: (reported: Reported) => boolean, timeoutMs = 60_000): Promise<Reported> {
    return eventually(
      async () => {
        const [{ row }, { reported }] = await Promise.all([this.detail(), this.configuration()]);
        return row.state === 'online' && reported !== null && wanted(reported) ? reported : undefined;
      },
      { what: `the centre being told of ${what}`, timeoutMs, everyMs: 100 },
    );
  }

  async becomes(
    what: string,
    wanted: (detail: TerminalDetail) => boolean,
    timeoutMs = 60_000,
  ): Promise<TerminalDetail> {
    return eventually(
      async () => {
        const detail = await this.detail();
        return wanted(detail) ? detail : undefined;
      },
      { what, timeoutMs, everyMs: 100 },
    );
  }

  async #wanted(): Promise<number> {
    return (await this.configuration()).wanted?.version ?? 0;
  }

  #newer(before: number): Promise<number> {
    return eventually(
      async () => {
        const version = await this.#wanted();
        return version > before ? version : undefined;
      },
      { what: 'the centre wanting it', timeoutMs: 20_000, everyMs: 50 },
    );
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        host: 'localhost',
        ...(text !== undefined && { 'content-type': 'application/json' }),
      };
      const options = { socketPath: this.#socketPath, method, path: `/api/v1${path}`, headers, agent: false };
      const asked = request(options, (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (answer += part));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200 || response.statusCode === 204)
            resolve((answer === '' ? undefined : JSON.parse(answer)) as T);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      });
      asked.setTimeout(10_000, () => asked.destroy(new Error('the centre does not answer')));
      asked.once('error', reject);
      asked.end(text);
    });
  }
}
