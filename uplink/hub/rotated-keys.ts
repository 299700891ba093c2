import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { KeySlot } from '#contracts/hub.ts';
import { Instant, TerminalId } from '#contracts/names.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { PresharedKey } from '#contracts/settings/hub.ts';
import { wireguardKeyPattern } from '#contracts/settings/uplink.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

const PublicKey = Type.String({ pattern: wireguardKeyPattern });

const RotatedSlot = Type.Object(
  {
    slot: KeySlot,
    /** The key of the terminals file that these follow. */
    registered: PublicKey,
    /** null while the registered one is still in force. */
    current: Type.Union([
      Type.Null(),
      Type.Object(
        { publicKey: PublicKey, presharedKey: Type.Union([Type.Null(), PresharedKey]) },
        { additionalProperties: false },
      ),
    ]),
    candidate: Type.Union([
      Type.Null(),
      Type.Object(
        { publicKey: PublicKey, presharedKey: PresharedKey, offeredAt: Instant },
        { additionalProperties: false },
      ),
    ]),
  },
  { additionalProperties: false },
);
export type RotatedSlot = Static<typeof RotatedSlot>;

/** What a terminal has changed since it was registered: a file of its own in the hub's state folder, mode 0600. */
export const RotatedTerminal = Type.Object(
  { v: Type.Literal(1), terminal: TerminalId, slots: Type.Array(RotatedSlot, { maxItems: 9 }) },
  { additionalProperties: false },
);
export type RotatedTerminal = Static<typeof RotatedTerminal>;

export interface RotatedKeys {
  readonly terminals: ReadonlyMap<string, RotatedTerminal>;
  /**
   * Files that are damaged. Nobody knows which key such a terminal has now, and the registered one may have been
   * replaced for a reason: so the terminal is left out until the file is repaired or removed by hand.
   */
  readonly damaged: ReadonlyMap<string, Fault>;
}

/** Reads all of them. Faults: FILE_REFUSED where the folder itself cannot be read or made. */
export function readRotatedKeys(state: string): Result<RotatedKeys> {
  const folder = folderOf(state);
  let names: string[];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (cause) {
    return fail('FILE_REFUSED', `${folder}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  const terminals = new Map<string, RotatedTerminal>();
  const damaged = new Map<string, Fault>();
  for (const name of names) {
    const terminal = name.slice(0, -'.json'.length);
    const read = readOne(join(folder, name), terminal);
    if (read.ok) terminals.set(terminal, read.value);
    else damaged.set(terminal, read.fault);
  }
  return ok({ terminals, damaged });
}

function readOne(file: string, terminal: string): Result<RotatedTerminal> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  const parsed = parseJson(RotatedTerminal, text, 'CREDENTIAL_UNREADABLE');
  if (!parsed.ok) return fail(parsed.fault.code, `${file}: ${parsed.fault.detail}`);
  if (parsed.value.terminal !== terminal)
    return fail('CREDENTIAL_UNREADABLE', `${file}: is of another terminal`);
  return parsed;
}

/** Durable before it settles. Faults: FILE_REFUSED. */
export function writeRotatedKeys(state: string, rotated: RotatedTerminal): Promise<Result<void>> {
  const file = join(folderOf(state), `${rotated.terminal}.json`);
  return replaceFile(file, Buffer.from(`${JSON.stringify(rotated)}\n`), 0o600);
}

function folderOf(state: string): string {
  return join(state, 'terminals');
}
