import { fail, ok, type Result } from '#contracts/result.ts';
import { bytes, ms } from '#contracts/units.ts';
import type { Children, RunOptions } from '#runtime/child.ts';
import { ip, step } from '../tools/tools.ts';

const many: RunOptions = { limit: bytes(32 * 1_048_576), timeout: ms(60_000) };

/**
 * The routes to the terminals: one for each address, since no prefix is sure to hold terminals only. Those that are
 * there are left as they are, so that a restart keeps the sizes of packets that were set. Faults of all: TUNNEL_FAILED,
 * TOOL_MISSING.
 */
export class Routes {
  readonly #name: string;
  readonly #children: Children;
  /** Largest packet by address, where it is smaller than what the interface takes. */
  readonly #sizes = new Map<string, number>();

  constructor(name: string, children: Children) {
    this.#name = name;
    this.#children = children;
  }

  /** Makes the routes through the interface those to exactly these addresses. */
  async sync(addresses: ReadonlySet<string>): Promise<Result<void>> {
    const shown = await this.#run('reading', ['-4', '-json', 'route', 'show', 'dev', this.#name], many);
    if (!shown.ok) return shown;
    const there = parseRoutes(shown.value);
    if (!there.ok) return there;
    this.#sizes.clear();
    for (const [address, mtu] of there.value) if (mtu !== undefined) this.#sizes.set(address, mtu);
    const gone = [...there.value.keys()].filter((address) => !addresses.has(address));
    const missing = [...addresses].filter((address) => !there.value.has(address));
    for (const address of gone) this.#sizes.delete(address);
    return this.#batch([
      ...gone.map((address) => `route delete ${address} dev ${this.#name}`),
      ...missing.map((address) => `route replace ${address}/32 dev ${this.#name}`),
    ]);
  }

  /**
   * No packet larger than this goes to the address any more: the kernel answers a larger one with "fragmentation
   * needed" (RFC 1191), or fragments it where that is allowed. Locked, so that nothing that comes back makes it
   * smaller still, and so that kernels before 5.11 obey it for packets that are passed on as well.
   */
  async limit(address: string, mtu: number, whole: number): Promise<Result<void>> {
    const size = mtu < whole ? mtu : undefined;
    if (this.#sizes.get(address) === size) return ok(undefined);
    const locked = size === undefined ? '' : ` mtu lock ${size}`;
    const done = await this.#batch([`route replace ${address}/32 dev ${this.#name}${locked}`]);
    if (!done.ok) return done;
    if (size === undefined) this.#sizes.delete(address);
    else this.#sizes.set(address, size);
    return ok(undefined);
  }

  /** One process for all of them: thousands of terminals are thousands of routes. */
  async #batch(lines: readonly string[]): Promise<Result<void>> {
    if (lines.length === 0) return ok(undefined);
    const input = `${lines.join('\n')}\n`;
    // With -force it goes on after a line that fails, and says so at the end.
    const done = await this.#run('setting', ['-force', '-batch', '-'], { ...many, input });
    return done.ok ? ok(undefined) : done;
  }

  #run(what: string, args: readonly string[], options: RunOptions): Promise<Result<string>> {
    const whole = `${this.#name}: ${what} routes to the terminals`;
    return step(this.#children, 'TUNNEL_FAILED', whole, ip, args, options);
  }
}

/** What `ip -json route show` prints: address and the size that is set for it. */
function parseRoutes(text: string): Result<ReadonlyMap<string, number | undefined>> {
  // Where there is none, some versions print nothing at all.
  if (text.trim() === '') return ok(new Map());
  try {
    const routes = JSON.parse(text) as { dst?: unknown; metrics?: { mtu?: unknown }[] }[];
    const found = routes.flatMap(({ dst, metrics }): [string, number | undefined][] => {
      const mtu = metrics?.find((metric) => typeof metric.mtu === 'number')?.mtu;
      return typeof dst === 'string' ? [[dst, mtu as number | undefined]] : [];
    });
    return ok(new Map(found));
  } catch (cause) {
    return fail('TUNNEL_FAILED', 'ip printed something else than a list of routes.', cause);
  }
}
