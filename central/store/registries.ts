import type { RegisteredSite, RegisteredTerminal } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { openRegistry, type RegistryWatch } from './registry.ts';

/** The registry of this bureau and those of others, as one. Faults: those of `openRegistry`, of any of them. */
export async function openRegistries(
  { registry, moreRegistries }: Pick<CentralSettings, 'registry' | 'moreRegistries'>,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<Result<RegistryWatch>> {
  const opened: RegistryWatch[] = [];
  for (const file of [registry, ...moreRegistries]) {
    const one = await openRegistry(file, parts);
    if (!one.ok) {
      await Promise.all(opened.map((other) => other.close()));
      return one;
    }
    opened.push(one.value);
  }
  const [only, ...others] = opened;
  return ok(only !== undefined && others.length === 0 ? only : new Registries(opened));
}

/** Several registries; where two name the same terminal, the first one counts: a bureau cannot take over another's. */
class Registries implements RegistryWatch {
  readonly #all: readonly RegistryWatch[];

  constructor(all: readonly RegistryWatch[]) {
    this.#all = all;
  }

  admit(terminal: string, certificate: string): Result<RegisteredTerminal> {
    const owner = this.#all.find((one) => one.find(terminal) !== undefined);
    return (
      owner?.admit(terminal, certificate) ??
      this.#all[0]?.admit(terminal, certificate) ??
      fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered.`)
    );
  }

  find(terminal: string): RegisteredTerminal | undefined {
    for (const one of this.#all) {
      const found = one.find(terminal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  all(): readonly RegisteredTerminal[] {
    const found = new Map<string, RegisteredTerminal>();
    for (const one of this.#all)
      for (const terminal of one.all())
        if (!found.has(terminal.terminal)) found.set(terminal.terminal, terminal);
    return [...found.values()];
  }

  sites(): ReadonlyMap<string, RegisteredSite> {
    const found = new Map<string, RegisteredSite>();
    for (const one of this.#all)
      for (const [id, site] of one.sites()) if (!found.has(id)) found.set(id, site);
    return found;
  }

  onChange(listener: () => void): () => void {
    const stops = this.#all.map((one) => one.onChange(listener));
    return () => stops.forEach((stop) => stop());
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.close()));
  }
}
