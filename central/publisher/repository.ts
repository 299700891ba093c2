import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { targetPath } from '#contracts/edition-target.ts';
import { fail, type Result } from '#contracts/result.ts';
import { openTrust, type TrustFiles, type Trusted } from '#formats/trust/index.ts';
import { replaceFile, syncFolder } from '#runtime/durable-file.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { takeLock } from './lock.ts';

/**
 * The repository of a bureau's editions: a folder of which the centre serves `metadata`, `targets` and `keys`.
 *
 *     metadata/N.root.json, N.targets.json, N.snapshot.json, timestamp.json   The Update Framework's
 *     targets/sltd/12/HASH.base.fingerprints, …                               what they describe
 *     keys/TERMINAL.json                                                      fingerprint keys, wrapped to one terminal
 *     state/12/                                                               the newest edition whole, not served
 *     lock                                                                    held while a command changes it (lock.ts)
 */
export class Repository {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  target(target: Pick<NamedTarget, 'name' | 'sha256'>): string {
    return this.at(targetPath(target));
  }

  state(edition: number): {
    readonly folder: string;
    readonly fingerprints: string;
    readonly payload: string;
  } {
    const folder = this.at('state', String(edition));
    return {
      folder,
      fingerprints: join(folder, 'base.fingerprints'),
      payload: join(folder, 'base.payload'),
    };
  }

  /**
   * What it says now, checked as a terminal would. Faults: REPOSITORY_ABSENT, those of formats/trust where somebody has
   * changed it, FILE_REFUSED.
   */
  async read(): Promise<Result<Trusted>> {
    try {
      const root = await this.#newestRoot();
      const timestamp = await optional(this.at('metadata', 'timestamp.json'));
      if (root === undefined) {
        if (timestamp === undefined) return fail('REPOSITORY_ABSENT', `${this.folder} has no root of trust.`);
        // Beginning anew would count versions from 1, which terminals refuse.
        return fail('TRUST_DAMAGED', `${this.folder} has lost its root of trust.`);
      }
      const files: TrustFiles = { root: await readFile(root) };
      if (timestamp === undefined) {
        // The first publishing may have been interrupted before its timestamp; no later one can have.
        const begun = (await this.#versions('snapshot')).every((version) => version === 1);
        return begun ? openTrust(files) : fail('TRUST_DAMAGED', `${this.folder} has lost its timestamp.`);
      }
      const stamped = openTrust({ ...files, timestamp });
      if (!stamped.ok) return stamped;
      const { version } = stamped.value.timestamp?.says.snapshot ?? { version: 0 };
      const snapshot = await readFile(this.at('metadata', `${version}.snapshot.json`));
      const snapped = openTrust({ ...files, timestamp, snapshot });
      if (!snapped.ok) return snapped;
      const listed = snapped.value.snapshot?.says.targets.version ?? 0;
      const targets = await readFile(this.at('metadata', `${listed}.targets.json`));
      const whole = openTrust({ ...files, timestamp, snapshot, targets });
      if (!whole.ok) return whole;
      // A terminal may lag behind while it updates; a repository that does was put together from two.
      const { snapshot: read, targets: described } = whole.value;
      if (read?.version === version && described?.version === listed) return whole;
      return fail('TRUST_MIXED', `${this.folder} has an older file in the place of one that it lists.`);
    } catch (cause) {
      return refused(this.folder, cause);
    }
  }

  /** Makes the folders of a repository where they are not there. */
  async makeFolders(): Promise<void> {
    for (const name of ['metadata', 'targets', 'state']) await mkdir(this.at(name), { recursive: true });
  }

  /** Writes a file of the metadata durably. */
  write(name: string, bytes: Buffer): Promise<Result<void>> {
    return replaceFile(this.at('metadata', name), bytes, 0o644);
  }

  /** Puts a file in its place among the targets; the same file may be there already. */
  async place(target: Pick<NamedTarget, 'name' | 'sha256'>, file: string): Promise<void> {
    const path = this.target(target);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    await link(file, path);
    await syncFolder(dirname(path));
  }

  async placeBytes(target: Pick<NamedTarget, 'name' | 'sha256'>, bytes: Buffer): Promise<Result<void>> {
    const path = this.target(target);
    await mkdir(dirname(path), { recursive: true });
    return replaceFile(path, bytes, 0o644);
  }

  /**
   * Removes the files that nobody needs any more: targets that are not described, descriptions other than these, states
   * other than the one of this edition, and whatever a publishing that was killed has left half written.
   */
  async tidy(files: readonly NamedTarget[], metadata: readonly string[], edition: number): Promise<void> {
    const kept = new Set(files.map((file) => this.target(file)));
    for (const path of await filesBelow(this.at('targets')))
      if (!kept.has(path)) await rm(path, { force: true });
    for (const name of await readdir(this.at('metadata'))) {
      const numbered = /^\d+\.(targets|snapshot)\.json$/.test(name) && !metadata.includes(name);
      if (numbered || name.endsWith('.new'))
        await rm(this.at('metadata', name), { recursive: true, force: true });
    }
    for (const name of await readdir(this.at('state'))) {
      if (name !== String(edition)) await rm(this.at('state', name), { recursive: true, force: true });
    }
  }

  /** Does something while no other command changes the repository. The fault is REPOSITORY_BUSY beside those of `act`. */
  async exclusively<T>(act: () => Promise<Result<T>>): Promise<Result<T>> {
    let release: (() => void) | undefined;
    try {
      release = takeLock(this.at('lock'));
      if (release === undefined) return fail('REPOSITORY_BUSY', `${this.folder} is being changed.`);
      return await act();
    } catch (cause) {
      return refused(this.folder, cause);
    } finally {
      release?.();
    }
  }

  async #newestRoot(): Promise<string | undefined> {
    const versions = await this.#versions('root');
    return versions.length === 0 ? undefined : this.at('metadata', `${Math.max(...versions)}.root.json`);
  }

  async #versions(role: 'root' | 'snapshot'): Promise<number[]> {
    const names = await readdir(this.at('metadata')).catch((thrown: unknown) => {
      if (systemCode(thrown) === 'ENOENT') return [];
      throw thrown;
    });
    const pattern = new RegExp(`^(\\d+)\\.${role}\\.json$`);
    return names.flatMap((name) => {
      const [, version] = pattern.exec(name) ?? [];
      return version === undefined ? [] : Number(version);
    });
  }
}

async function optional(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** A fault of what was thrown: one of ours, or FILE_REFUSED for what the system said. A mistake of ours goes through. */
export function refused(folder: string, cause: unknown) {
  if (cause instanceof CheckpostError) return fail(cause.code, cause.detail, cause.cause);
  const code = systemCode(cause);
  if (code === undefined) throw cause;
  const { path } = cause as { readonly path?: unknown };
  return fail('FILE_REFUSED', `${typeof path === 'string' ? path : folder} was refused (${code}).`, cause);
}
