import { fail, ok } from '#contracts/result.ts';
import type { Children, Tool } from '#runtime/child.ts';

/** `wg` and `ip` for tests: one interface in memory, driven by the same arguments and input as the real programs. */
export class TestWg {
  readonly peers = new Map<string, { presharedKey: string; address: string | null; handshake: number }>();
  /** Address and what stands behind it. */
  readonly routes = new Map<string, string>();
  readonly calls: { readonly args: string; readonly input: string }[] = [];
  /** What the next calls of this program answer instead. */
  broken: { readonly tool: string; readonly says: string } | undefined;

  readonly children: Children = {
    run: async (tool: Tool, args, { input = '' } = {}) => {
      this.calls.push({ args: [tool.name, ...args].join(' '), input });
      if (this.broken?.tool === tool.name) return fail('TOOL_FAILED', this.broken.says);
      return ok(tool.name === 'wg' ? this.#wg(args, input) : this.#ip(args, input));
    },
    start: () => {
      throw new TypeError('nothing is started here');
    },
  };

  #wg([verb = '', , ...rest]: readonly string[], input: string): string {
    switch (verb) {
      case 'show':
        return [...this.peers].map(([key, { handshake }]) => `${key}\t${handshake}\n`).join('');
      case 'syncconf':
        return this.#configure(input, true);
      case 'addconf':
        return this.#configure(input, false);
      case 'set':
        return this.#set(rest);
      default:
        return '';
    }
  }

  #configure(input: string, whole: boolean): string {
    const named = new Set<string>();
    for (const section of input.split('[Peer]\n').slice(1)) {
      const field = (name: string): string | undefined =>
        new RegExp(`^${name} = (.*)$`, 'm').exec(section)?.[1];
      const key = field('PublicKey') ?? '';
      named.add(key);
      const handshake = this.peers.get(key)?.handshake ?? 0;
      this.#give(key, field('AllowedIPs')?.replace('/32', '') ?? null);
      this.peers.set(key, {
        presharedKey: field('PresharedKey') ?? '',
        address: this.peers.get(key)?.address ?? null,
        handshake,
      });
    }
    if (whole) for (const key of this.peers.keys()) if (!named.has(key)) this.peers.delete(key);
    return '';
  }

  #set(words: readonly string[]): string {
    let key = '';
    words.forEach((word, at) => {
      if (word === 'peer') key = words[at + 1] ?? '';
      else if (word === 'remove') this.peers.delete(key);
      else if (word === 'allowed-ips') this.#give(key, (words[at + 1] ?? '').replace('/32', ''));
    });
    return '';
  }

  /** As WireGuard does it: an address belongs to the peer that was given it last. */
  #give(key: string, address: string | null): void {
    for (const peer of this.peers.values())
      if (address !== null && peer.address === address) peer.address = null;
    const peer = this.peers.get(key) ?? { presharedKey: '', address: null, handshake: 0 };
    this.peers.set(key, { ...peer, address });
  }

  #ip(args: readonly string[], input: string): string {
    if (args.includes('show'))
      return JSON.stringify(
        [...this.routes].map(([dst, rest]) => {
          const mtu = /mtu lock (\d+)/.exec(rest)?.[1];
          return mtu === undefined ? { dst } : { dst, metrics: [{ mtu: Number(mtu) }] };
        }),
      );
    for (const line of input.split('\n').filter(Boolean)) {
      const [, verb, prefix = '', ...rest] = line.split(' ');
      const address = prefix.replace('/32', '');
      if (verb === 'delete') this.routes.delete(address);
      else this.routes.set(address, rest.join(' '));
    }
    return '';
  }
}
