import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import Type from 'typebox';
import { ok, type Result } from '#contracts/result.ts';
import { HubName } from '#contracts/settings/uplink.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { parseJson } from '#runtime/parse.ts';

/** The last address at which a hub answered, with the name that it was found by. */
export interface KeptAddress {
  readonly hub: string;
  readonly host: string;
  readonly address: string;
}

const Kept = Type.Object(
  {
    v: Type.Literal(1),
    hubs: Type.Array(
      Type.Object(
        { hub: HubName, host: Type.String({ maxLength: 253 }), address: Type.String({ maxLength: 45 }) },
        { additionalProperties: false },
      ),
      { maxItems: 4 },
    ),
  },
  { additionalProperties: false },
);

/** What was kept; nothing where the file is not there or damaged: the addresses only save time, DNS finds them anew. */
export function readKept(file: string): readonly KeptAddress[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const kept = parseJson(Kept, text, 'FILE_REFUSED');
  return kept.ok ? kept.value.hubs.filter(({ address }) => isIP(address) !== 0) : [];
}

/** Fault: FILE_REFUSED. */
export async function writeKept(file: string, hubs: readonly KeptAddress[]): Promise<Result<void>> {
  const written = await replaceFile(file, Buffer.from(`${JSON.stringify({ v: 1, hubs })}\n`), 0o600);
  return written.ok ? ok(undefined) : written;
}
