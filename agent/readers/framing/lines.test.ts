import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Framed, longestFrame } from './framing.ts';
import { LineFraming } from './lines.ts';

const a44 = 'A'.repeat(44);
const b44 = 'B'.repeat(44);
const [c30, d30, e30] = ['C'.repeat(30), 'D'.repeat(30), 'E'.repeat(30)] as const;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const seen = (framed: readonly Framed[]): string[] =>
  framed.map((one) => {
    if (one.kind !== 'frame') return one.kind;
    return `${one.damaged ? 'damaged ' : ''}${Buffer.from(one.text).toString('latin1')}`;
  });

describe('A frame is out with its last byte, without waiting for silence', () => {
  const cases: Readonly<Record<string, readonly [sent: string, frame: string]>> = {
    'TD3, lines ended by CR': [`${a44}\r${b44}\r`, `${a44}\r${b44}\r`],
    'TD3, lines ended by CRLF': [`${a44}\r\n${b44}\r\n`, `${a44}\r\n${b44}\r`],
    'TD3, lines ended by LF': [`${a44}\n${b44}\n`, `${a44}\n${b44}\n`],
    'TD1, three lines': [`${c30}\r${d30}\r${e30}\r`, `${c30}\r${d30}\r${e30}\r`],
    'TD2, two lines of 36': [
      `${'F'.repeat(36)}\r${'G'.repeat(36)}\r`,
      `${'F'.repeat(36)}\r${'G'.repeat(36)}\r`,
    ],
    'between STX and ETX, lines ended by CR': [`\x02${a44}\r${b44}\r\x03`, `${a44}\r${b44}\r`],
    'between STX and ETX, lines ended by CRLF': [`\x02${a44}\r\n${b44}\r\n\x03\r\n`, `${a44}\r\n${b44}\r\n`],
    'between STX and ETX, no end to the last line': [
      `\x02${c30}\r${d30}\r${e30}\x03`,
      `${c30}\r${d30}\r${e30}`,
    ],
  };
  for (const [name, [sent, frame]] of Object.entries(cases)) {
    test(name, () => {
      const framing = new LineFraming();
      expect(seen(framing.push(bytes(sent)))).toEqual([frame]);
      expect(framing.pending).toBe(false);
      expect(framing.silence()).toEqual([]);
    });
  }
});

test('However a stream of frames is cut into chunks, the same frames come out', () => {
  const stream = bytes(
    `${a44}\r\n${b44}\r\n\x02${a44}\r${b44}\r\x03${c30}\r${d30}\r${e30}\r\r\n${a44}\n${b44}\n`,
  );
  const whole = seen(new LineFraming().push(stream));
  expect(whole).toHaveLength(4);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 200 }), (sizes) => {
      const framing = new LineFraming();
      const out: string[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        out.push(...seen(framing.push(stream.subarray(at, at + size))));
        at += size;
      }
      expect(out).toEqual(whole);
    }),
  );
});

test('When the swipe stutters, what came of the frame is out after silence, and the next frame is whole', () => {
  const framing = new LineFraming();
  expect(framing.push(bytes(a44.slice(0, 15)))).toEqual([]);
  expect(framing.pending).toBe(true);
  expect(seen(framing.silence())).toEqual([a44.slice(0, 15)]);
  expect(seen(framing.push(bytes(`${a44}\r${b44}\r`)))).toEqual([`${a44}\r${b44}\r`]);
});

test('When a frame begins inside another, the cut one and the whole one are two frames', () => {
  const framing = new LineFraming();
  expect(seen(framing.push(bytes(`\x02${a44}\r${b44.slice(0, 20)}\x02${a44}\r${b44}\r\x03`)))).toEqual([
    `${a44}\r${b44.slice(0, 20)}`,
    `${a44}\r${b44}\r`,
  ]);
});

test('When 1 MB comes without an end, one frame of the greatest length is out, the rest is passed over, and after silence reading goes on', () => {
  const framing = new LineFraming();
  const out: Framed[] = [];
  const chunk = bytes('X'.repeat(4096));
  for (let sent = 0; sent < 1_048_576; sent += chunk.length) out.push(...framing.push(chunk));
  expect(seen(out)).toEqual(['X'.repeat(longestFrame), 'too-long']);
  expect(framing.silence()).toEqual([]);
  expect(seen(framing.push(bytes(`${a44}\r${b44}\r`)))).toEqual([`${a44}\r${b44}\r`]);
});

test('When 1 MB comes without an end, a frame between STX and ETX is found without waiting for silence', () => {
  const framing = new LineFraming();
  framing.push(bytes('X'.repeat(1_048_576)));
  expect(seen(framing.push(bytes(`\x02${a44}\r${b44}\r\x03`)))).toEqual([`${a44}\r${b44}\r`]);
});

test('A spike on the line is noise and no frame; a read at the wrong baud rate is a noisy frame', () => {
  const framing = new LineFraming();
  framing.push(new Uint8Array([0xff, 0x00, 0x8a]));
  expect(framing.silence()).toEqual([{ kind: 'noise', bytes: new Uint8Array([0xff, 0x00, 0x8a]) }]);
  framing.push(new Uint8Array(60).fill(0xf8));
  expect(framing.silence()).toMatchObject([{ kind: 'frame', noisy: true }]);
});

test('When the device goes, half a frame is dropped', () => {
  const framing = new LineFraming();
  framing.push(bytes(`${a44}\r${b44.slice(0, 10)}`));
  framing.reset();
  expect(framing.pending).toBe(false);
  expect(seen(framing.push(bytes(`${c30}\r${d30}\r${e30}\r`)))).toEqual([`${c30}\r${d30}\r${e30}\r`]);
});

test('Whatever comes, it never throws, and no frame is longer than the greatest length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 8 }), (chunks) => {
      const framing = new LineFraming();
      const out = [...chunks.flatMap((chunk) => framing.push(chunk)), ...framing.silence()];
      for (const one of out)
        if (one.kind === 'frame') expect(one.text.length).toBeLessThanOrEqual(longestFrame);
      expect(framing.pending).toBe(false);
    }),
  );
});

test('A spike right before a document costs it nothing', () => {
  const framing = new LineFraming();
  expect(seen(framing.push(Buffer.concat([bytes('\xff\x00'), bytes(`${a44}\r${b44}\r`)])))).toEqual([
    'noise',
    `${a44}\r${b44}\r`,
  ]);
});

describe('An imager that ends no last line', () => {
  const options = { blockCheck: 'none', lastLineEnd: false } as const;
  test.each([
    ['two lines', `${a44}\r${b44}`],
    ['three lines', `${c30}\r${d30}\r${e30}`],
    ['two lines and an end all the same', `${a44}\r${b44}\r`],
  ])('%s are out with silence, not before', (_, sent) => {
    const framing = new LineFraming(options);
    expect(framing.push(bytes(sent))).toEqual([]);
    expect(framing.pending).toBe(true);
    expect(seen(framing.silence())).toEqual([sent]);
    expect(framing.pending).toBe(false);
  });

  test('a line from which eight characters are missing does not end the next one too early', () => {
    const framing = new LineFraming(options);
    framing.push(bytes(`${a44.slice(8)}\r${b44}`));
    expect(seen(framing.silence())).toEqual([`${a44.slice(8)}\r${b44}`]);
  });
});

describe('A block check', () => {
  const text = `${a44}\r${b44}\r`;
  const xor = (part: string) => Array.from(part).reduce((sum, character) => sum ^ character.charCodeAt(0), 0);
  const covered = { text, 'text-etx': `${text}\x03`, 'stx-text-etx': `\x02${text}\x03` } as const;

  test.each(Object.keys(covered) as (keyof typeof covered)[])(
    'that covers %s and holds is no part of the frame',
    (of) => {
      const framing = new LineFraming({ blockCheck: of, lastLineEnd: true });
      const sent = `\x02${text}\x03${String.fromCharCode(xor(covered[of]))}`;
      expect(seen(framing.push(bytes(sent + sent)))).toEqual([text, text]);
      expect(framing.pending).toBe(false);
    },
  );

  test('that does not hold makes the frame damaged, whatever byte it is', () => {
    const right = xor(covered['text-etx']);
    for (let check = 0; check < 256; check++) {
      const framing = new LineFraming({ blockCheck: 'text-etx', lastLineEnd: true });
      const out = seen(framing.push(Buffer.concat([bytes(`\x02${text}\x03`), Buffer.from([check])])));
      expect(out, String(check)).toEqual([check === right ? text : `damaged ${text}`]);
    }
  });

  test('that does not come is one that does not hold', () => {
    const framing = new LineFraming({ blockCheck: 'text', lastLineEnd: true });
    expect(framing.push(bytes(`\x02${text}\x03`))).toEqual([]);
    expect(framing.pending).toBe(true);
    expect(seen(framing.silence())).toEqual([`damaged ${text}`]);
  });
});
