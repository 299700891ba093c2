import { describe, expect, test } from 'vitest';
import type { FramingProfile } from '#contracts/readers.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { elyctis, encodeRead, latin } from '#test/rigs/reader-simulator/encode.ts';
import { received } from '#test/rigs/reader-simulator/uart.ts';
import { type Line, line, heard, lineName, speeds } from './line.ts';
import { type Conclusion, Probe, type ProbeAction, type ProbeInput, versionCommand } from './machine.ts';

const card = [
  'I<UTOD231458907<<<<<<<<<<<<<<<',
  '7408122F1204159UTO<<<<<<<<<<<6',
  'ERIKSSON<<ANNA<MARIA<<<<<<<<<<',
];
const documents = [stolenPassport, card, cleanPassport, passport('K77120034', '310101', 'LI<<WEI')];
const plain = { kind: 'lines', lastLineEnd: true, blockCheck: 'none' } as const;

/** A reader as the machine meets it: what comes at a setting when the engineer swipes, or after a command. */
interface Bench {
  swiped(at: Line, swipe: number): Uint8Array;
  asked?(at: Line): Uint8Array;
}

interface Told {
  readonly conclusion: Conclusion;
  readonly opened: readonly string[];
  readonly said: string;
  readonly swipes: number;
}

function play(bench: Bench): Told {
  const machine = new Probe(20_000);
  let at = line(300);
  let swipes = 0;
  let sent = false;
  const opened: string[] = [];
  const said: string[] = [];
  let actions = machine.start();
  const perform = (action: ProbeAction): ProbeInput | undefined => {
    if (action.kind === 'say') said.push(action.text);
    if (action.kind === 'send') sent = true;
    if (action.kind === 'open') {
      at = action.line;
      opened.push(lineName(at));
      return { kind: 'opened' };
    }
    if (action.kind !== 'wait') return undefined;
    const bytes = sent ? (bench.asked?.(at) ?? new Uint8Array()) : bench.swiped(at, swipes++);
    return bytes.length === 0 ? { kind: 'silence' } : { kind: 'burst', bytes };
  };
  for (let turn = 0; turn < 100; turn++) {
    let input: ProbeInput | undefined;
    for (const action of actions) {
      if (action.kind === 'conclude') {
        return { conclusion: action.conclusion, opened, said: said.join('\n'), swipes };
      }
      input = perform(action);
    }
    if (input === undefined) throw new Error('the machine waits for nothing');
    actions = machine.step(input);
  }
  throw new Error('the machine does not end');
}

const reader = (sent: Line, framing: FramingProfile = plain, first = 0): Bench => ({
  swiped: (at, swipe) => {
    const document = documents[(first + swipe) % documents.length] ?? card;
    return received(encodeRead(framing, document), sent, at);
  },
});

describe('A reader that sends', () => {
  test('at 9600 8N1 is understood at the first swipe and confirmed by the second', () => {
    const { conclusion, opened, said } = play(reader(line(9600)));
    expect(conclusion).toMatchObject({ kind: 'found', line: line(9600), mrz: true, swipes: 2 });
    expect(opened).toEqual(['9600 8N1']);
    expect(said).toContain('Swipe once more');
  });

  test('at 9600 7E1 is heard at 8N1 and known by its parity', () => {
    const { conclusion, opened } = play(reader(line(9600, 7, 'even')));
    expect(conclusion).toMatchObject({ kind: 'found', line: line(9600, 7, 'even') });
    expect(opened).toEqual(['9600 8N1']);
  });

  test.each(speeds.filter((speed) => speed !== 9600).map((speed) => [speed]))(
    'at %i is found with three swipes: one to hear that it is another speed, one at the right one, one to be sure',
    (speed) => {
      for (const first of documents.keys()) {
        const { conclusion, opened } = play(reader(line(speed), plain, first));
        expect(conclusion).toMatchObject({ kind: 'found', line: line(speed), mrz: true });
        expect(opened).toHaveLength(2);
      }
    },
  );

  test.each([
    [{ kind: 'ocr31x' }, 115_200],
    [{ ...plain, blockCheck: 'stx-text-etx' }, 38_400],
    [{ kind: 'rte6701', blockCheck: 'text-etx' }, 19_200],
    [{ ...plain, lastLineEnd: false }, 4800],
  ] as const)('with the framing %j at %i is found with it', (framing, speed) => {
    expect(play(reader(line(speed), framing)).conclusion).toMatchObject({
      kind: 'found',
      line: line(speed),
      wrapping: { framing },
    });
  });

  test('with 8 bits and a parity is found where the driver passes over what has the wrong one', () => {
    for (const parity of ['even', 'odd'] as const) {
      const sent = line(9600, 8, parity);
      const bench: Bench = {
        swiped: (at) => heard(encodeRead(plain, stolenPassport), sent, at, true),
      };
      expect(play(bench).conclusion).toMatchObject({ kind: 'found', line: sent });
    }
  });

  test('is told in words which way its line is off', () => {
    expect(play(reader(line(115_200))).said).toContain('faster than 9600 baud');
    expect(play(reader(line(2400))).said).toContain('slower than 9600 baud');
  });

  test('first a spike of the line, is found all the same', () => {
    const good = reader(line(9600));
    const bench: Bench = { swiped: (at, swipe) => (swipe === 0 ? Uint8Array.of(0) : good.swiped(at, swipe)) };
    expect(play(bench).conclusion).toMatchObject({ kind: 'found', swipes: 2 });
  });

  test('only bar codes is asked for a document, and after three the settings are given with a doubt', () => {
    const bench: Bench = { swiped: () => latin('4006381333931\r') };
    const { conclusion, said } = play(bench);
    expect(conclusion).toMatchObject({ kind: 'found', mrz: false, line: line(9600), swipes: 3 });
    expect(said).toContain('no machine readable zone');
  });

  test('noise alone ends after a bounded number of swipes', () => {
    const bench: Bench = {
      swiped: (_, swipe) => Uint8Array.from({ length: 90 }, (_, at) => ((at * 37 + swipe * 91) % 256) | 1),
    };
    const { conclusion, swipes } = play(bench);
    expect(conclusion.kind).toBe('unknown');
    expect(swipes).toBeLessThanOrEqual(12);
  });

  test('and then no more is asked for a second swipe in vain, and found without it', () => {
    const good = reader(line(9600));
    const bench: Bench = { swiped: (at, swipe) => (swipe === 0 ? good.swiped(at, 0) : new Uint8Array()) };
    expect(play(bench).conclusion).toMatchObject({ kind: 'found', swipes: 1 });
  });
});

describe('A reader that says nothing', () => {
  const silent = (): Uint8Array => new Uint8Array();

  test('is asked for its version, at both speeds that an Elyctis has, and concluded to be away', () => {
    const { conclusion, opened } = play({ swiped: silent });
    expect(conclusion).toEqual({ kind: 'nothing', modem: undefined });
    expect(opened).toEqual(['9600 8N1', '9600 8N1', '115200 8N1']);
  });

  test('until it is asked, is an Elyctis', () => {
    const answer = elyctis('V', latin('IDBOX 2.10'));
    const bench: Bench = { swiped: silent, asked: (at) => received(answer, line(115_200), at) };
    expect(play(bench).conclusion).toEqual({ kind: 'answers', line: line(115_200), about: 'IDBOX 2.10' });
  });

  test('but gives our own bytes back has its lines joined', () => {
    expect(play({ swiped: silent, asked: () => versionCommand }).conclusion).toEqual({ kind: 'looped' });
  });
});

test('What a document says is never among what the machine says or concludes', () => {
  for (const sent of [line(9600), line(9600, 7, 'odd'), line(38_400)]) {
    for (const framing of [plain, { kind: 'ocr31x' }] as const) {
      const told = play(reader(sent, framing));
      expect(JSON.stringify(told)).not.toMatch(/L898902|ERIKSSON|MARIA|UTO|X734211/);
    }
  }
});

test('Whatever the speed, format, driver and document, it is found, nearly always with three swipes', () => {
  const formats = [line(1), line(1, 8, 'none', 2), line(1, 7, 'even'), line(1, 7, 'odd'), line(1, 8, 'even')];
  const counts: number[] = [];
  for (const [number, speed] of speeds.entries()) {
    for (const format of formats) {
      for (const strict of [true, false]) {
        const sent = { ...format, baudRate: speed };
        const { conclusion, swipes } = play({
          swiped: (at, swipe) => {
            const document = documents[(number + swipe) % documents.length] ?? card;
            return heard(encodeRead(plain, document), sent, at, strict);
          },
        });
        expect(conclusion, `${lineName(sent)} ${strict}`).toMatchObject({
          kind: 'found',
          mrz: true,
          line: { baudRate: speed },
        });
        counts.push(swipes);
      }
    }
  }
  const within = counts.filter((swipes) => swipes <= 3).length / counts.length;
  expect(within).toBeGreaterThan(0.9);
  expect(Math.max(...counts)).toBeLessThanOrEqual(6);
});
