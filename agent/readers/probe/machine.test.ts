import { describe, expect, test } from 'vitest';
import type { FramingProfile } from '#contracts/readers.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { seeded } from '#test/rigs/random.ts';
import { elyctis, encodeRead, latin } from '#test/rigs/reader-simulator/encode.ts';
import { received } from '#test/rigs/reader-simulator/uart.ts';
import { type Line, line, heard, lineName, speeds } from './line.ts';
import type { ProbeAction, ProbeInput } from './actions.ts';
import type { Conclusion } from './conclusion.ts';
import { Probe, versionCommand } from './machine.ts';

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
  /** What comes by itself right behind that. */
  behind?(at: Line, swipe: number): Uint8Array;
  asked?(at: Line): Uint8Array;
}

interface Told {
  readonly conclusion: Conclusion;
  readonly opened: readonly string[];
  readonly said: string;
  readonly swipes: number;
}

const patience = 20_000;

function play(bench: Bench): Told {
  const machine = new Probe(patience);
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
    const isSwiped = action.millis === patience;
    const bytes = sent
      ? (bench.asked?.(at) ?? new Uint8Array())
      : isSwiped
        ? bench.swiped(at, swipes++)
        : (bench.behind?.(at, swipes - 1) ?? new Uint8Array());
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
    expect(conclusion).toMatchObject({ kind: 'found', line: line(9600), swipes: 2 });
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
        expect(conclusion).toMatchObject({ kind: 'found', line: line(speed) });
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

  test('only bar codes is asked for a document, and no profile is made of them', () => {
    const bench: Bench = { swiped: () => latin('4006381333931\r') };
    const { conclusion, said } = play(bench);
    expect(conclusion).toMatchObject({ kind: 'unsure', seen: 'text', line: line(9600), swipes: 5 });
    expect(said).toContain('no machine readable zone');
  });

  test('only parts of documents is asked to be swiped in one go, and no profile is made of them', () => {
    const good = reader(line(9600));
    const third = (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 3);
    const { conclusion, said } = play({ swiped: (at, swipe) => third(good.swiped(at, swipe)) });
    expect(conclusion).toMatchObject({ kind: 'unsure', seen: 'part', line: line(9600) });
    expect(said).toContain('a part of a document, or a damaged one. Swipe it in one go.');
  });

  test('a part between two whole reads is found by the two', () => {
    const good = reader(line(9600));
    const { conclusion } = play({
      swiped: (at, swipe) => good.swiped(at, swipe).subarray(0, swipe === 1 ? 30 : undefined),
    });
    expect(conclusion).toMatchObject({ kind: 'found', swipes: 3 });
  });

  test('noise alone ends after a bounded number of swipes', () => {
    const bench: Bench = {
      swiped: (_, swipe) => Uint8Array.from({ length: 90 }, (_, at) => ((at * 37 + swipe * 91) % 256) | 1),
    };
    const { conclusion, swipes } = play(bench);
    expect(conclusion.kind).toBe('unknown');
    expect(swipes).toBeLessThanOrEqual(12);
  });

  test('once and then no more is not found: one read is no proof', () => {
    const good = reader(line(9600));
    const bench: Bench = { swiped: (at, swipe) => (swipe === 0 ? good.swiped(at, 0) : new Uint8Array()) };
    expect(play(bench).conclusion).toMatchObject({ kind: 'unsure', seen: 'zone', swipes: 1 });
  });

  test('two whole reads of different framings is asked once more, and the two that agree count', () => {
    const framings = [plain, { kind: 'ocr31x' }, { kind: 'ocr31x' }] as const;
    const { conclusion, said } = play({
      swiped: (_, swipe) => encodeRead(framings[swipe] ?? plain, stolenPassport),
    });
    expect(said).toContain('it counts as the first');
    expect(conclusion).toMatchObject({ kind: 'found', swipes: 3, wrapping: { framing: { kind: 'ocr31x' } } });
  });

  test('garbage after one whole read begins the count again, and the setting has another try', () => {
    const good = reader(line(9600));
    const { conclusion, said, opened } = play({
      swiped: (at, swipe) =>
        swipe === 1 ? Uint8Array.from({ length: 90 }, (_, n) => 0x80 + n) : good.swiped(at, swipe),
    });
    expect(said).toContain('does not agree with the swipe before, and counting begins again');
    expect(conclusion).toMatchObject({ kind: 'found', line: line(9600), swipes: 4 });
    expect(opened).toEqual(['9600 8N1']);
  });
});

describe('A line with noise', () => {
  /** Bytes that no reader sends, another few each time. */
  const noise = (seed: number): Uint8Array => {
    const random = seeded(seed);
    return Uint8Array.from(
      { length: 3 + Math.floor(random() * 10) },
      () => 0x80 + Math.floor(random() * 0x80),
    );
  };

  test('before each read is passed over: the reads are found at their speed, and noise is no swipe', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const good = reader(line(9600));
      const { conclusion, opened } = play({
        swiped: (at, swipe) => (swipe === 1 ? good.swiped(at, 1) : noise(seed + swipe)),
        behind: (at, swipe) => (swipe === 1 ? new Uint8Array() : good.swiped(at, swipe)),
      });
      expect(conclusion).toMatchObject({ kind: 'found', line: line(9600), swipes: 2 });
      expect(opened).toEqual(['9600 8N1']);
    }
  });

  test('alone, before anybody has swiped, does not keep the reader from being found', () => {
    for (let seed = 1; seed <= 15; seed++) {
      for (const speed of [9600, 19_200, 115_200]) {
        const good = reader(line(speed));
        const { conclusion } = play({
          swiped: (at, swipe) => (swipe === 0 ? noise(seed) : good.swiped(at, swipe)),
        });
        expect(conclusion, `${speed} ${seed}`).toMatchObject({ kind: 'found', line: line(speed) });
      }
    }
  });

  test('of a byte or two is a spike each time, and not judged', () => {
    const good = reader(line(9600));
    const { conclusion, said } = play({
      swiped: (at, swipe) => (swipe < 2 ? Uint8Array.of(0xff) : good.swiped(at, swipe)),
    });
    expect(said.match(/a spike on the line/g)).toHaveLength(2);
    expect(said).not.toContain('faster than');
    expect(conclusion).toMatchObject({ kind: 'found', line: line(9600), swipes: 2 });
  });

  test('that never ends ends the probe', () => {
    expect(play({ swiped: () => Uint8Array.of(0xff) }).conclusion.kind).toBe('unknown');
    expect(play({ swiped: () => noise(1), behind: () => noise(2) }).conclusion.kind).toBe('unknown');
  });
});

describe('A reader that says nothing', () => {
  const silent = (): Uint8Array => new Uint8Array();

  test('is asked for its version at every speed that is tried, and concluded to be away', () => {
    const { conclusion, opened } = play({ swiped: silent });
    expect(conclusion).toEqual({ kind: 'nothing', modem: undefined, spikes: 0, asked: speeds });
    expect(opened).toEqual(['9600 8N1', ...speeds.map((speed) => `${speed} 8N1`)]);
  });

  test.each(speeds.map((speed) => [speed]))('until it is asked, is an Elyctis at %i', (speed) => {
    const answer = elyctis('V', latin('IDBOX 2.10'));
    const bench: Bench = { swiped: silent, asked: (at) => received(answer, line(speed), at) };
    expect(play(bench).conclusion).toEqual({ kind: 'answers', line: line(speed), about: 'IDBOX 2.10' });
  });

  test('but noise until it is asked, is found as well', () => {
    const answer = elyctis('V', latin('IDBOX 2.10'));
    const bench: Bench = {
      swiped: (_, swipe) => (swipe === 0 ? Uint8Array.of(0xf3, 0x85, 0xc1, 0x99) : silent()),
      asked: (at) => received(answer, line(57_600), at),
    };
    expect(play(bench).conclusion).toMatchObject({ kind: 'answers', line: line(57_600) });
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
        // Of this one such a driver gives nothing at all at 9600: nobody can tell that somebody swiped.
        if (speed === 230_400 && strict) continue;
        const { conclusion, swipes } = play({
          swiped: (at, swipe) => {
            const document = documents[(number + swipe) % documents.length] ?? card;
            return heard(encodeRead(plain, document), sent, at, strict);
          },
        });
        expect(conclusion, `${lineName(sent)} ${strict}`).toMatchObject({
          kind: 'found',
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
