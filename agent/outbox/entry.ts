import type { KeyObject } from 'node:crypto';
import type { Uuid } from '#contracts/names.ts';
import { OutboxEntry, type OwedItem } from '#contracts/outbox.ts';
import { seal, unseal } from '#formats/sealed.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';

/** A row of the table `outbox`. */
export interface OutboxRow {
  readonly seq: number;
  readonly at: string;
  readonly clock: string;
  readonly sealed: Buffer;
}

/** Why a row cannot be read any more. */
export type Damage = 'seal' | 'content';

/** Seals an item to its place: moved to another number or another stream, it does not open. */
export function sealItem(key: KeyObject, stream: Uuid, seq: number, item: OwedItem): Buffer {
  return seal(key, place(stream, seq), Buffer.from(JSON.stringify(item)));
}

/** The entry of a row, with what is wrong with it where it had to be replaced. */
export function openRow(
  key: KeyObject,
  stream: Uuid,
  row: OutboxRow,
): { readonly entry: OutboxEntry; readonly damage?: Damage } {
  const plain = unseal(key, place(stream, row.seq), row.sealed);
  if (!plain.ok) return replaced(row, 'seal');
  const item = parseJson(OutboxEntry.properties.item, plain.value.toString(), 'MESSAGE_INVALID');
  if (!item.ok) return replaced(row, 'content');
  const entry = { seq: row.seq, at: row.at, clock: row.clock, item: item.value };
  const whole = parseValue(OutboxEntry, entry, 'MESSAGE_INVALID');
  return whole.ok ? { entry: whole.value } : replaced(row, 'content');
}

/** Its time is kept where that is one; otherwise the epoch, which no terminal can mean. */
function replaced(row: OutboxRow, reason: Damage): { readonly entry: OutboxEntry; readonly damage: Damage } {
  const item = { kind: 'item-damaged', reason } as const;
  const whole = parseValue(
    OutboxEntry,
    { seq: row.seq, at: row.at, clock: row.clock, item },
    'MESSAGE_INVALID',
  );
  if (whole.ok) return { entry: whole.value, damage: reason };
  return {
    entry: { seq: row.seq, at: '1970-01-01T00:00:00.000Z', clock: 'unverified', item },
    damage: reason,
  };
}

function place(stream: Uuid, seq: number): string {
  return `outbox ${stream} ${seq}`;
}
