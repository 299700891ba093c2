import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDocument } from '#agent/documents/index.ts';
import type { TravelDocument } from '#contracts/documents.ts';
import type { FramingProfile } from '#contracts/readers.ts';
import { encodeRead, joined, type Lines } from '#test/rigs/reader-simulator/encode.ts';
import { cut, cuts, document, documents, families } from '#test/rigs/reader-simulator/streams.ts';
import { createFraming } from './create.ts';
import type { Framed, Framing } from './framing.ts';

// Whatever documents a reader sends, however the line cuts them and whatever stands between them: each family's framing
// gives these documents and nothing else. The bytes are made by a second hand, the simulator's.

/** The reads one behind the other; only an imager, whose reads nothing but silence ends, is silent between two. */
function streamOf(
  reads: readonly Uint8Array[],
  sizes: readonly number[],
  framer: Framing,
  profile: FramingProfile,
): Framed[] {
  const needsSilence = profile.kind === 'lines' && !profile.lastLineEnd;
  const streams = needsSilence ? reads : [joined(...reads)];
  return streams.flatMap((stream) => [
    ...[...cut(stream, sizes)].flatMap((chunk) => framer.push(chunk)),
    ...(needsSilence ? framer.silence() : []),
  ]);
}

function framesOf(framed: readonly Framed[]): Extract<Framed, { kind: 'frame' }>[] {
  return framed.filter((one) => one.kind === 'frame');
}

/** Lines of a frame, without line ends, absent lines and the padding of a short one. */
function linesOf(text: Uint8Array): Lines {
  return Buffer.from(text)
    .toString('latin1')
    .split(/[\r\n]+/)
    .map((line) => line.replace(/_+$/, ''))
    .filter((line) => line !== '');
}

const today = { year: 2026, month: 11, day: 24 };

/** What the officer would be shown of whole frames: the documents in them. */
function documentsIn(framed: readonly Framed[]): TravelDocument[] {
  return framesOf(framed).flatMap(({ text, damaged }) => {
    const reading = readDocument(text, today);
    return reading.kind === 'document' && !damaged ? [reading.document] : [];
  });
}

function documentOf(one: Lines): TravelDocument | undefined {
  return documentsIn([{ kind: 'frame', text: Buffer.from(one.join('\r')), noisy: false, damaged: false }])[0];
}

describe.each(Object.entries(families))('%s', (_name, { framing, style: spoken, garbage }) => {
  const encode = (one: Lines): Uint8Array => encodeRead(framing, one, spoken);

  test('Any documents, joined and cut in any way, come out as these documents and nothing else', () => {
    fc.assert(
      fc.property(documents, cuts, (all, sizes) => {
        const framer = createFraming(framing);
        const out = streamOf(all.map(encode), sizes, framer, framing);
        expect(framer.pending).toBe(false);
        expect(framer.silence()).toEqual([]);
        expect(framesOf(out)).toHaveLength(out.length);
        expect(framesOf(out).some(({ damaged, noisy }) => damaged || noisy)).toBe(false);
        expect(framesOf(out).map(({ text }) => linesOf(text))).toEqual(all);
      }),
    );
  });

  test('Garbage before and between them, without a silence, costs none of them and adds none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(garbage, document), { minLength: 1, maxLength: 6 }),
        cuts,
        (all, sizes) => {
          const framer = createFraming(framing);
          const reads = all.map(([before, one]) => joined(before, encode(one)));
          const out = streamOf(reads, sizes, framer, framing);
          expect(framesOf([...out, ...framer.silence()]).map(({ text }) => linesOf(text))).toEqual(
            all.map(([, one]) => one),
          );
        },
      ),
    );
  });

  test('Garbage of any bytes at all, with silence around it, costs no document and is read as none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 400 }), document), { minLength: 1, maxLength: 4 }),
        cuts,
        (all, sizes) => {
          const framer = createFraming(framing);
          const out: Framed[] = [];
          for (const [before, one] of all) {
            for (const part of [before, encode(one)]) {
              for (const chunk of cut(part, sizes)) out.push(...framer.push(chunk));
              out.push(...framer.silence());
            }
          }
          expect(documentsIn(out)).toEqual(all.map(([, one]) => documentOf(one)));
        },
      ),
    );
  });

  test('A read that is cut anywhere is none, or all that was cut off carried no character, and the next one is whole', () => {
    fc.assert(
      fc.property(
        document,
        document,
        fc.double({ min: 0, max: 1, noNaN: true }),
        cuts,
        (first, second, part, sizes) => {
          const framer = createFraming(framing);
          const whole = encode(first);
          const half = whole.subarray(0, Math.floor(part * (whole.length - 1)));
          const out = [...cut(half, sizes)].flatMap((chunk) => framer.push(chunk));
          out.push(...framer.silence());
          for (const read of documentsIn(out)) expect(read).toEqual(documentOf(first));
          const next = streamOf([encode(second)], sizes, framer, framing);
          expect(framesOf(next).map(({ text }) => linesOf(text))).toEqual([second]);
        },
      ),
    );
  });
});

/** Bare lines and Elyctis have no mark that could not stand inside a read: half of one takes the next one with it. */
const marked = Object.entries(families).filter(
  ([, { framing, style: spoken }]) =>
    framing.kind === 'ocr31x' || framing.kind === 'rte6701' || spoken?.enveloped === true,
);

test.each(marked)(
  '%s: a read that breaks off and is begun again, without a silence, is whole',
  (_name, family) => {
    const encode = (one: Lines): Uint8Array => encodeRead(family.framing, one, family.style);
    fc.assert(
      fc.property(document, document, fc.nat(), cuts, (first, second, place, sizes) => {
        const whole = encode(first);
        // Not between ETX and the block check: whatever comes there is taken for the check.
        const half = whole.subarray(0, place % (whole.length - 2));
        const framer = createFraming(family.framing);
        const stream = joined(half, encode(second));
        const out = [...cut(stream, sizes)].flatMap((chunk) => framer.push(chunk));
        expect(
          framesOf(out)
            .map(({ text }) => linesOf(text))
            .at(-1),
        ).toEqual(second);
        expect(framer.silence()).toEqual([]);
      }),
    );
  },
);

describe('A block check', () => {
  const checked = Object.entries(families).filter(
    ([, { framing }]) => 'blockCheck' in framing && framing.blockCheck !== 'none',
  );

  test.each(checked)('%s: a read of which one bit is turned is never taken as whole', (_name, family) => {
    fc.assert(
      fc.property(document, fc.nat(), fc.nat(7), (one, place, bit) => {
        const sent = encodeRead(family.framing, one, family.style);
        const turned = sent.slice();
        const at = place % sent.length;
        turned[at] = (turned[at] ?? 0) ^ (1 << bit);
        const framer = createFraming(family.framing);
        // Outside of what the check covers a bit may turn without harm: what is read is then still the document.
        for (const read of documentsIn([...framer.push(turned), ...framer.silence()])) {
          expect(read).toEqual(documentOf(one));
        }
      }),
      { numRuns: 300 },
    );
  });
});
