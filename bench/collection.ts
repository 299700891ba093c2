import { closeSync, openSync, writeSync } from 'node:fs';
import { mostRecords, RecordMaker, type SyntheticRecord, type UnrecordedNumber } from './record-maker.ts';

/** Made-up collections of any size: record `i` is always the same for one seed, whatever else is made with it. */
export interface SyntheticOrder {
  readonly seed: number;
  /** How many records. */
  readonly count: number;
  /** The first of them, from 0: those that a day adds begin where the day before has ended. */
  readonly from?: number;
}

export const syntheticHeader =
  'record,issuing_state,document_number,document_type,kind_of_loss,reported_on,reported_by\n';

const bufferBytes = 4_194_304;
const longestRow = 128;

export function* syntheticRecords({
  seed,
  count,
  from = 0,
}: SyntheticOrder): Generator<SyntheticRecord, void> {
  const maker = makerOf(seed, from + count);
  const row = Buffer.alloc(longestRow);
  for (let i = from; i < from + count; i++) {
    // The CSV's own bytes, so that the two cannot differ.
    const fields = row.toString('latin1', 0, maker.writeRow(row, 0, i) - 1).split(',');
    const [record, issuingState, documentNumber, documentType, kindOfLoss, reportedOn, reportedBy] =
      fields as [string, string, string, string, string, string, string];
    yield {
      record,
      issuingState,
      documentNumber,
      documentType: documentType as SyntheticRecord['documentType'],
      kindOfLoss: kindOfLoss as SyntheticRecord['kindOfLoss'],
      reportedOn,
      reportedBy,
    };
  }
}

/** Writes a collection as a CSV, without those that `remove` names by their `i`; `say` hears how far it is. */
export function writeSyntheticCsv(
  file: string,
  order: SyntheticOrder & { readonly remove?: (i: number) => boolean },
  say: (text: string) => void = () => {},
): { readonly records: number; readonly bytes: number } {
  const { seed, count, from = 0, remove } = order;
  const maker = makerOf(seed, from + count);
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  const out = openSync(file, 'w');
  try {
    let at = buffer.write(syntheticHeader, 'latin1');
    let bytes = 0;
    let records = 0;
    const flush = (): void => {
      for (let done = 0; done < at;) done += writeSync(out, buffer, done, at - done);
      bytes += at;
      at = 0;
    };
    for (let i = from; i < from + count; i++) {
      if (remove?.(i) === true) continue;
      if (at + longestRow > bufferBytes) flush();
      at = maker.writeRow(buffer, at, i);
      records++;
      if (records % 10_000_000 === 0) say(`${records} of ${count} records written`);
    }
    flush();
    return { records, bytes };
  } finally {
    closeSync(out);
  }
}

/** Documents with numbers of the same forms that no collection of this seed has. */
export function* unrecordedNumbers(order: {
  readonly seed: number;
  readonly count: number;
}): Generator<UnrecordedNumber, void> {
  const maker = new RecordMaker(order.seed);
  for (let i = 0; i < order.count; i++) yield maker.unrecorded(i);
}

function makerOf(seed: number, end: number): RecordMaker {
  if (end > mostRecords) throw new RangeError(`at most ${mostRecords} records can be made`);
  return new RecordMaker(seed);
}

export { mostRecords, type SyntheticRecord, type UnrecordedNumber };
