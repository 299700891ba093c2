import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static, type TSchema } from 'typebox';
import { SignedEnvelope } from '#contracts/configuration.ts';
import { Instant, ReaderId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { replaceFile, syncFolder } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

const strict = { additionalProperties: false };
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Code = Type.String({ pattern: '^[A-Z_]{1,48}$' });
const Detail = Type.String({ maxLength: 500 });
/** As they were signed, so that each start checks again that a trusted key says so. */
const signed = {
  v: Type.Literal(1),
  since: Instant,
  envelope: SignedEnvelope,
  /** All limits that are known, also of messages before this one: a lower version of them is not believed again. */
  limits: Type.Array(SignedEnvelope, { maxItems: 4 }),
};

const schemas = {
  /** The configuration that was confirmed last; without it what enrolment wrote runs alone. */
  current: Type.Object(signed, strict),
  /** The one that runs on probation. */
  probation: Type.Object(
    {
      ...signed,
      /** The boot in which the agent was last started with it, and whether it runs or was killed since. */
      boot: Type.String({ maxLength: 64 }),
      running: Type.Boolean(),
      trial: Type.Object({ failedMillis: Type.Number({ minimum: 0 }), crashes: count, boots: count }, strict),
      /** The readers that were ready before. */
      before: Type.Array(Type.Object({ id: ReaderId, device: Type.String({ maxLength: 256 }) }, strict), {
        maxItems: 16,
      }),
    },
    strict,
  ),
  /** The highest version that failed. */
  refused: Type.Object(
    {
      v: Type.Literal(1),
      since: Instant,
      version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      state: Type.Union([Type.Literal('undone'), Type.Literal('refused')]),
      code: Code,
      detail: Detail,
    },
    strict,
  ),
  /** The configuration of the uplinks that was handed to the helper last, and what it said against it. */
  uplink: Type.Object(
    {
      v: Type.Literal(1),
      hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      refused: Type.Union([Type.Null(), Type.Object({ code: Code, detail: Detail }, strict)]),
    },
    strict,
  ),
} as const satisfies Record<string, TSchema>;

export type FileName = keyof typeof schemas;
export type FileOf<N extends FileName> = Static<(typeof schemas)[N]>;

/** The files of the configuration in a folder of their own; each is replaced whole, so that one step is one rename. */
export class ConfigurationFiles {
  readonly #folder: string;
  readonly #replace: typeof replaceFile;

  /** `replace` is another one in tests. */
  constructor(folder: string, replace = replaceFile) {
    this.#folder = folder;
    this.#replace = replace;
  }

  /** Undefined where there is none. Fault: CONFIGURATION_DAMAGED. */
  read<N extends FileName>(name: N): Result<FileOf<N> | undefined> {
    let text: string;
    try {
      text = readFileSync(this.#file(name), 'utf8');
    } catch (cause) {
      const code = systemCode(cause) ?? 'unknown';
      return code === 'ENOENT'
        ? ok(undefined)
        : fail('CONFIGURATION_DAMAGED', `${this.#file(name)} (${code}).`, cause);
    }
    const parsed = parseJson<(typeof schemas)[N]>(schemas[name], text, 'CONFIGURATION_DAMAGED');
    return parsed.ok ? parsed : fail('CONFIGURATION_DAMAGED', `${this.#file(name)}: ${parsed.fault.detail}`);
  }

  /** Fault: FILE_REFUSED; what was there stays. */
  async write<N extends FileName>(name: N, value: FileOf<N>): Promise<Result<void>> {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      return fail('FILE_REFUSED', `${this.#folder} cannot be made (${systemCode(cause)}).`, cause);
    }
    return this.#replace(this.#file(name), Buffer.from(`${JSON.stringify(value)}\n`), 0o600);
  }

  /** Fault: FILE_REFUSED. */
  async drop(name: FileName): Promise<Result<void>> {
    try {
      rmSync(this.#file(name), { force: true });
      await syncFolder(this.#folder);
      return ok(undefined);
    } catch (cause) {
      return fail('FILE_REFUSED', `${this.#file(name)} cannot be removed (${systemCode(cause)}).`, cause);
    }
  }

  /** Removes what a power cut left half written. */
  tidy(): void {
    try {
      for (const name of readdirSync(this.#folder)) {
        if (name.startsWith('.') && name.endsWith('.new')) rmSync(join(this.#folder, name), { force: true });
      }
    } catch {
      // No folder, or one that cannot be written: nothing of it is read.
    }
  }

  #file(name: FileName): string {
    return join(this.#folder, `${name}.json`);
  }
}
