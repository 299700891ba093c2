import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elyctis, elyctisCommand, scanElyctis } from './elyctis.ts';
import { type Framed, type Framing, longestFrame } from './framing.ts';
import { Ocr31xFraming } from './ocr31x.ts';
import { scanRte6701 } from './rte6701.ts';
import { ScannedFraming } from './scanned.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const lines = `${'A'.repeat(44)}\r${'B'.repeat(44)}\r`;
const seen = (framed: readonly Framed[]): string[] =>
  framed.map((one) => {
    if (one.kind === 'frame')
      return `${one.damaged ? 'damaged ' : ''}${Buffer.from(one.text).toString('latin1')}`;
    return one.kind === 'other' ? one.what : one.kind;
  });

describe('Access-IS OCR31x', () => {
  const mrz = `\x1c\x02${lines}\x03\x1d`;
  const push = (text: string): string[] => seen(new Ocr31xFraming().push(bytes(text)));

  test('the lines between 1C 02 and 03 1D are a frame', () => {
    expect(push(mrz)).toEqual([lines]);
    expect(push(mrz + mrz)).toEqual([lines, lines]);
  });

  test('a magnetic stripe and a barcode are told apart and never taken for a document', () => {
    expect(push(`\x0e\x02%B59${lines}\x03\x0f${mrz}\x1e\x02M1TEST ${lines}\x03\x1f`)).toEqual([
      'magnetic-stripe',
      lines,
      'barcode',
    ]);
  });

  test('a frame that begins inside another ends it, and is whole', () => {
    expect(push(`\x1c\x02${lines.slice(0, 30)}${mrz}`)).toEqual([lines.slice(0, 30), lines]);
    expect(push(`\x1e\x02half a barcode${mrz}`)).toEqual(['barcode', lines]);
  });

  test('garbage outside of a frame is noise, and the frame behind it is whole', () => {
    expect(push(`P<UTO\xff\x1c\x1c\x03\x1d${mrz}`)).toEqual(['noise', lines]);
  });

  test('text without a frame around it, as a reader with another profile sends it, is damaged, never data', () => {
    const framing = new Ocr31xFraming();
    expect(framing.push(bytes(lines))).toEqual([]);
    expect(seen(framing.silence())).toEqual([`damaged ${lines}`]);
  });

  test('a barcode as long as a letter is one read, and one without an end is given up in bounded memory', () => {
    expect(push(`\x1e\x02${'X'.repeat(2000)}\x03\x1f${mrz}`)).toEqual(['barcode', lines]);
    expect(push(`\x1e\x02${'X'.repeat(1_000_000)}${mrz}`)).toEqual(['too-long', lines]);
  });
});

describe('3M and Thales RTE6701', () => {
  const xor = (text: string) => Array.from(text).reduce((sum, character) => sum ^ character.charCodeAt(0), 0);
  const send = (data: string, length = '\x5e'): string =>
    `\x01${length}OU\x020${data}\x03${String.fromCharCode(xor(`0${data}\x03`))}`;
  const framing = (): Framing => new ScannedFraming(scanRte6701('text-etx'));
  const push = (text: string): string[] => seen(framing().push(bytes(text)));

  test.each(['\x5e', '\x00\x5e', '\x01\x02\x03', '0094'])(
    'whatever its length field is (%j), the data is the frame',
    (length) => {
      expect(push(send(`\r${lines}`, length) + send(lines, length))).toEqual([`\r${lines}`, lines]);
    },
  );

  test('a wrong block check makes it damaged', () => {
    const sent = bytes(send(lines));
    const wrong = Uint8Array.from(sent, (byte, at) => (at === 20 ? byte ^ 1 : byte));
    expect(seen(framing().push(wrong))[0]).toMatch(/^damaged /);
  });

  test('a frame that begins inside another: the cut one is noise, the whole one is a frame', () => {
    expect(push(send(lines).slice(0, 40) + send(lines))).toEqual(['noise', lines]);
  });

  test('garbage with a SOH in it costs nothing', () => {
    expect(push(`\x01\x01OUX\xff${send(lines)}`)).toEqual(['noise', lines]);
  });

  test('a cut frame is out after silence, never as data, and the next one is whole', () => {
    const cut = framing();
    expect(cut.push(bytes(send(lines).slice(0, 50)))).toEqual([]);
    expect(seen(cut.silence())[0]).toMatch(/^damaged /);
    expect(seen(cut.push(bytes(send(lines))))).toEqual([lines]);
  });
});

describe('Elyctis IDBOX', () => {
  const read = Buffer.concat([Buffer.from([elyctis.inquire, 0, lines.length]), bytes(lines)]);
  const framing = (): Framing => new ScannedFraming(scanElyctis);

  test('the data of an inquiry is a frame, answers to commands are replies', () => {
    const version = Buffer.concat([Buffer.from([elyctis.version, 0, 4]), bytes('1.07')]);
    const out = framing().push(Buffer.concat([version, elyctisCommand(elyctis.continuous, [1]), read]));
    expect(out).toMatchObject([
      { kind: 'reply', command: elyctis.version },
      { kind: 'reply', command: elyctis.continuous, data: new Uint8Array([1]) },
      { kind: 'frame' },
    ]);
    expect(seen(out.slice(2))).toEqual([lines]);
  });

  test('a read in continuous mode may bear the letter of either command', () => {
    const continuous = Buffer.concat([Buffer.from([elyctis.continuous, 0, lines.length]), bytes(lines)]);
    expect(seen(framing().push(Buffer.concat([continuous, read])))).toEqual([lines, lines]);
  });

  test('an inquiry without a document is a reply and no frame', () => {
    expect(framing().push(new Uint8Array([elyctis.inquire, 0, 0]))).toMatchObject([{ kind: 'reply' }]);
  });

  test('a length that no document has is garbage, and the frame behind it is whole', () => {
    expect(seen(framing().push(Buffer.concat([bytes('I\x01\x00I\x00\xffxC\x00\x02'), read])))).toEqual([
      'noise',
      lines,
    ]);
  });

  test('a length that swallowed the beginning of the next frame costs one frame at most', () => {
    const one = framing();
    const out = seen(
      one.push(Buffer.concat([Buffer.from([elyctis.inquire, 0, 100]), bytes('cut'), read, read])),
    );
    // The false message is told by the bytes in it that are no text, and both frames behind it are found.
    expect(out).toEqual(['noise', lines, lines]);
  });
});

describe('every framing', () => {
  const all: Readonly<Record<string, () => Framing>> = {
    ocr31x: () => new Ocr31xFraming(),
    rte6701: () => new ScannedFraming(scanRte6701('text-etx')),
    'rte6701 without a check': () => new ScannedFraming(scanRte6701('none')),
    elyctis: () => new ScannedFraming(scanElyctis),
  };
  /** Bytes among which those that mean something are common. */
  const byte = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 0x0d, 0x0e, 0x0f, 0x1c, 0x1d, 0x1e, 0x1f, 0x49, 0x43, 0x4f, 0x55, 0x56),
    fc.integer({ min: 0, max: 255 }),
  );
  const chunks = fc.array(fc.array(byte, { maxLength: 300 }), { maxLength: 8 });

  test.each(Object.entries(all))(
    '%s: whatever comes, it never throws, keeps no more than a frame, and is empty after silence',
    (_, make) => {
      fc.assert(
        fc.property(chunks, (parts) => {
          const framing = make();
          const out = [...parts.flatMap((part) => framing.push(Uint8Array.from(part))), ...framing.silence()];
          for (const one of out)
            if (one.kind === 'frame') expect(one.text.length).toBeLessThanOrEqual(longestFrame);
          expect(framing.pending).toBe(false);
          expect(framing.silence()).toEqual([]);
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(Object.entries(all))('%s: how the bytes are cut into chunks changes nothing', (_, make) => {
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 800 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (stream, sizes) => {
          const whole = make();
          const expected = [...whole.push(Uint8Array.from(stream)), ...whole.silence()];
          const cut = make();
          const out: Framed[] = [];
          let at = 0;
          for (const size of [...sizes, stream.length]) {
            out.push(...cut.push(Uint8Array.from(stream.slice(at, at + size))));
            at += size;
          }
          expect([...out, ...cut.silence()]).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each(Object.entries(all))('%s: when the device goes, what waits is dropped', (_, make) => {
    const framing = make();
    framing.push(bytes(`\x1c\x02\x01xOU\x020I\x00\x40${lines.slice(0, 20)}`));
    framing.reset();
    expect(framing.pending).toBe(false);
    expect(framing.silence()).toEqual([]);
  });
});
