import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import type { Result } from '#contracts/result.ts';
import { filesOf, openTrust, type Trusted, type TrustFiles } from '#formats/trust/index.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';

/** `trust.json`: the four files of the signed description that is believed, each to the byte in base64. */
const Kept = Type.Object(
  {
    v: Type.Literal(1),
    root: Type.String(),
    timestamp: Type.Optional(Type.String()),
    snapshot: Type.Optional(Type.String()),
    targets: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/** Keeps what is believed of the editions in one file, so that each step of an update is one durable step. */
export class TrustStore {
  readonly #file: string;
  readonly #root: Buffer;

  /** `root` is what enrolment brought: believed where nothing was kept. */
  constructor(folder: string, root: Buffer) {
    this.#file = join(folder, 'trust.json');
    this.#root = root;
  }

  /**
   * What was kept. Where it is damaged, the root of enrolment alone is believed, which gives away the protection from
   * older editions and is said in the log; the faults are those of a root that is none.
   */
  async open(log: Log): Promise<Result<Trusted>> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (thrown) {
      const code = systemCode(thrown) ?? 'unknown';
      if (code !== 'ENOENT') log.error('What was believed of the editions cannot be read', { code });
      return openTrust({ root: this.#root });
    }
    const kept = parseJson(Kept, text, 'TRUST_DAMAGED');
    const opened = kept.ok ? openTrust(decode(kept.value)) : kept;
    if (opened.ok) return opened;
    log.error('What was believed of the editions is damaged', faultFields(opened.fault));
    return openTrust({ root: this.#root });
  }

  /** The fault is FILE_REFUSED. */
  async keep(trusted: Trusted): Promise<Result<void>> {
    const files = Object.entries(filesOf(trusted)) as [string, Buffer][];
    const kept = Object.fromEntries(files.map(([name, bytes]) => [name, bytes.toString('base64')]));
    return replaceFile(this.#file, Buffer.from(JSON.stringify({ v: 1, ...kept })), 0o600);
  }
}

function decode({ root, timestamp, snapshot, targets }: Static<typeof Kept>): TrustFiles {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  return {
    root: bytes(root),
    ...(timestamp !== undefined && { timestamp: bytes(timestamp) }),
    ...(snapshot !== undefined && { snapshot: bytes(snapshot) }),
    ...(targets !== undefined && { targets: bytes(targets) }),
  };
}
