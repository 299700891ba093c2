import { ok, type Result } from '#contracts/result.ts';
import { bytes, ms } from '#contracts/units.ts';
import type { Children, RunOptions } from '#runtime/child.ts';
import { step, wg } from '../tools/tools.ts';
import type { Peer } from './registry.ts';

/** What WireGuard takes for "no preshared key": 32 bytes of zero. Left out of a configuration, the old one would stay. */
const noPresharedKey = `${'A'.repeat(43)}=`;
/** Thousands of peers are a few megabytes, and some seconds of `wg`. */
const many: RunOptions = { limit: bytes(32 * 1_048_576), timeout: ms(60_000) };
/** So many peers are removed by one call: far below the longest list of arguments that the kernel takes. */
const atOnce = 500;

/**
 * The peers of the hub's interface, driven through `wg`. Every secret goes through standard input; a change names only
 * the peers that it is about, so that no other is disturbed. Faults of all: TUNNEL_FAILED, TOOL_MISSING.
 */
export class Peers {
  readonly #name: string;
  readonly #children: Children;

  constructor(name: string, children: Children) {
    this.#name = name;
    this.#children = children;
  }

  /** Gives the interface its key, its port and exactly these peers; sessions of those that stay go on. */
  async sync(privateKey: string, port: number, peers: Iterable<Peer>): Promise<Result<void>> {
    const own = `[Interface]\nPrivateKey = ${privateKey}\nListenPort = ${port}\n`;
    return this.#feed('setting key and peers', 'syncconf', own + peerLines(peers));
  }

  /** Adds these peers, or changes those that are there. */
  async set(peers: readonly Peer[]): Promise<Result<void>> {
    return peers.length === 0 ? ok(undefined) : this.#feed('setting peers', 'addconf', peerLines(peers));
  }

  async remove(publicKeys: readonly string[]): Promise<Result<void>> {
    for (let at = 0; at < publicKeys.length; at += atOnce) {
      const some = publicKeys.slice(at, at + atOnce).flatMap((key) => ['peer', key, 'remove']);
      const done = await this.#set('removing peers', some);
      if (!done.ok) return done;
    }
    return ok(undefined);
  }

  /** In one step: `before` is gone, and its address belongs to `after`. */
  promote(before: string, after: Peer & { readonly address: string }): Promise<Result<void>> {
    const gone = before === after.publicKey ? [] : ['peer', before, 'remove'];
    return this.#set('bringing a new key into force', [
      ...gone,
      'peer',
      after.publicKey,
      'allowed-ips',
      `${after.address}/32`,
    ]);
  }

  /** Seconds since 1970 of the last handshake by public key; 0 where there was none. */
  async handshakes(): Promise<Result<ReadonlyMap<string, number>>> {
    const args = ['show', this.#name, 'latest-handshakes'];
    const what = `${this.#name}: reading handshakes`;
    const shown = await step(this.#children, 'TUNNEL_FAILED', what, wg, args, many);
    return shown.ok ? ok(parseHandshakes(shown.value)) : shown;
  }

  async #set(what: string, args: readonly string[]): Promise<Result<void>> {
    return this.#run(what, ['set', this.#name, ...args]);
  }

  async #feed(what: string, verb: 'syncconf' | 'addconf', input: string): Promise<Result<void>> {
    return this.#run(what, [verb, this.#name, '/dev/stdin'], { ...many, input });
  }

  async #run(what: string, args: readonly string[], options: RunOptions = {}): Promise<Result<void>> {
    const whole = `${this.#name}: ${what}`;
    const done = await step(this.#children, 'TUNNEL_FAILED', whole, wg, args, options);
    return done.ok ? ok(undefined) : done;
  }
}

/** The format of wg(8), section CONFIGURATION FILE FORMAT. */
function peerLines(peers: Iterable<Peer>): string {
  const lines: string[] = [];
  for (const { publicKey, presharedKey, address } of peers) {
    lines.push('[Peer]', `PublicKey = ${publicKey}`, `PresharedKey = ${presharedKey ?? noPresharedKey}`);
    if (address !== null) lines.push(`AllowedIPs = ${address}/32`);
  }
  return `${lines.join('\n')}\n`;
}

/** What `wg show NAME latest-handshakes` prints: for each peer a line with its public key, a tab and the seconds. */
function parseHandshakes(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, key, at] = /^(\S+)\t(\d{1,12})$/.exec(line) ?? [];
    if (key !== undefined) found.set(key, Number(at));
  }
  return found;
}
