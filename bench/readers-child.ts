import { parse } from 'mrz';
import { ReadlineParser } from 'serialport';
import { readDocument } from '#agent/documents/index.ts';
import { builtInProfiles, createFraming } from '#agent/readers/index.ts';
import { passport } from '#test/rigs/documents.ts';
import { encodeRead } from '#test/rigs/reader-simulator/encode.ts';
import { type Figure, percentile, round } from './bench.ts';

/** One process of bench/readers.ts: `readers-child.ts NAME COUNT` prints its figures as JSON. */
const [name = '', count = '2000'] = process.argv.slice(2);
const documents = Array.from({ length: Number(count) }, (_, at) =>
  passport(`B${String(at).padStart(8, '0')}`).map((line) => line.replaceAll('UTO', 'D<<')),
);
const today = { year: 2026, month: 11, day: 24 };

/** Microseconds of each document after a warm-up; an answer that is not the document ends the run. */
function measure(read: (bytes: Uint8Array) => string | undefined, encode: (lines: string[]) => Uint8Array) {
  const samples: number[] = [];
  for (const [at, lines] of documents.entries()) {
    const bytes = encode(lines);
    const began = process.hrtime.bigint();
    const number = read(bytes);
    samples.push(Number(process.hrtime.bigint() - began) / 1000);
    if (number !== `B${String(at).padStart(8, '0')}`) throw new Error(`${name}: document ${at} was not read`);
  }
  return samples.slice(Math.floor(samples.length / 10));
}

function rival(): number[] {
  const parser = new ReadlineParser({ delimiter: '\r' });
  let lines: string[] = [];
  let number: string | undefined;
  parser.on('data', (line: string) => {
    lines.push(line);
    if (lines.length < 2) return;
    number = parse(lines).documentNumber ?? undefined;
    lines = [];
  });
  return measure(
    (bytes) => {
      parser.write(Buffer.from(bytes));
      return number;
    },
    (lines) => Buffer.from(`${lines.join('\r')}\r`),
  );
}

const theirs = percentile(rival(), 0.5);
const figures: Figure[] = [
  { name: 'ReadlineParser and mrz', case: `${name}, median`, value: round(theirs), unit: 'µs' },
];
for (const profile of builtInProfiles) {
  if (profile.link.kind !== 'serial') continue;
  const framing = createFraming(profile.framing);
  const samples = measure(
    (bytes) => {
      // Of an imager silence alone is the end; how long the line is silent is no work of ours.
      const [framed] = [...framing.push(bytes), ...framing.silence()];
      if (framed?.kind !== 'frame') return undefined;
      const reading = readDocument(framed.text, today);
      return reading.kind === 'document' ? reading.document.documentNumber : undefined;
    },
    (lines) => encodeRead(profile.framing, lines),
  );
  const median = percentile(samples, 0.5);
  figures.push(
    {
      name: profile.name,
      case: `${name}, median`,
      value: round(median),
      unit: 'µs',
      target: 200,
      rival: 'ReadlineParser and mrz',
      ratio: round(median / theirs),
    },
    { name: profile.name, case: `${name}, p99`, value: round(percentile(samples, 0.99)), unit: 'µs' },
  );
}
process.stdout.write(JSON.stringify(figures));
