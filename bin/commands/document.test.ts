import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { execute } from '../command.ts';
import { command } from './document.ts';

interface Answer {
  readonly line: number;
  readonly verdict: string;
  readonly reason?: string;
  readonly fields?: Readonly<Record<string, { readonly raw: string; readonly value: unknown }>>;
  readonly warnings?: readonly string[];
}

async function run(chunks: Iterable<Buffer>, ...argv: readonly string[]) {
  let out = '';
  let err = '';
  const code = await execute(command, argv, {
    stdin: Readable.from(chunks),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  const answers = (): Answer[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Answer);
  return { code, out, err, answers };
}

const numbers = (answers: readonly Answer[]) =>
  answers.map((answer) => answer.fields?.['documentNumber']?.value);
const bytes = (text: string) => [Buffer.from(text, 'latin1')];
const both = [stolenPassport, cleanPassport] as const;

describe('checkpost document', () => {
  test.each([
    ['LF', '\n', '\n\n'],
    ['CRLF', '\r\n', '\r\n\r\n'],
    ['CR', '\r', '\r\r'],
    ['CR inside and LF between', '\r', '\n\n'],
    ['an empty line of blanks', '\n', '\n \t\n'],
    ['several empty lines', '\n', '\n\n\n\n'],
  ])('reads documents with %s, the last one without an end of line', async (_, within, between) => {
    const { code, answers } = await run(bytes(both.map((lines) => lines.join(within)).join(between)));
    expect(numbers(answers())).toEqual(['L898902C3', 'X734211K5']);
    expect(code).toBe(0);
  });

  test('reads the same however the input is cut into chunks', async () => {
    const text = both.map((lines) => lines.join('\r\n')).join('\r\n\r\n');
    const whole = await run(bytes(text));
    const single = await run([...Buffer.from(text)].map((byte) => Buffer.from([byte])));
    expect(single.out).toBe(whole.out);
  });

  test('passes over a byte order mark and empty lines at the beginning, and tells the line of each', async () => {
    const text = `\xef\xbb\xbf\n\n${stolenPassport.join('\n')}\n\nnoise\n\n${cleanPassport.join('\n')}\n`;
    const { code, answers } = await run(bytes(text));
    expect(answers()).toMatchObject([
      { line: 3, verdict: 'read' },
      { line: 6, verdict: 'unreadable', reason: 'line-count', spots: [] },
      { line: 8, verdict: 'read' },
    ]);
    expect(code).toBe(0);
  });

  test('a document of a million bytes is one unreadable answer, and the next one is read', async () => {
    const chunks = [
      ...Array.from({ length: 1000 }, () => Buffer.alloc(1000, 0x41)),
      ...bytes(`\n\n${cleanPassport.join('\n')}\n`),
    ];
    const { answers } = await run(chunks);
    expect(answers()).toMatchObject([
      { verdict: 'unreadable', reason: 'line-length' },
      { verdict: 'read', line: 3 },
    ]);
  });

  test('says of a document every field as read and as meant, its digits, its key and its variants', async () => {
    const [first, second] = stolenPassport;
    const text = bytes(`${first}\n${second.replace('740812', '74O812')}\n`);
    const { answers } = await run(text, '--today', '2026-11-24');
    expect(answers()[0]).toEqual({
      line: 1,
      verdict: 'read',
      format: 'TD3',
      documentType: 'passport',
      searchKey: 'UTO|L898902C3',
      fields: {
        documentCode: { raw: 'P<', value: 'P' },
        issuingState: { raw: 'UTO', value: 'UTO' },
        names: {
          raw: 'ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<',
          value: { primary: 'ERIKSSON', secondary: 'ANNA MARIA', truncated: false },
        },
        documentNumber: { raw: 'L898902C3', value: 'L898902C3' },
        documentNumberDigit: { raw: '6', value: '6' },
        nationality: { raw: 'UTO', value: 'UTO' },
        birth: { raw: '74O812', value: '1974-08-12' },
        birthDigit: { raw: '2', value: '2' },
        sex: { raw: 'F', value: 'F' },
        expiry: { raw: '300415', value: '2030-04-15' },
        expiryDigit: { raw: '7', value: '7' },
        optional: { raw: 'ZE184226B<<<<<', value: 'ZE184226B' },
        optionalDigit: { raw: '1', value: '1' },
        compositeDigit: { raw: expect.stringMatching(/^\d$/), value: expect.stringMatching(/^\d$/) },
      },
      checks: { number: true, birth: true, expiry: true, optional: true, composite: true },
      warnings: ['specimen', 'repaired'],
      repairs: [{ line: 2, column: 16, from: 'O', to: '0' }],
      variants: expect.arrayContaining([{ number: '1898902C3', searchKey: 'UTO|1898902C3' }]),
      doubtful: [],
    });
  });

  test('of a long number, the raw field is what stands there and the value is the whole number', async () => {
    const card =
      'I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<\n';
    const { answers } = await run(bytes(card));
    expect(answers()[0]).toMatchObject({
      searchKey: 'UTO|D23145890734',
      fields: {
        documentNumber: { raw: 'D23145890', value: 'D23145890734' },
        documentNumberDigit: { raw: '<', value: null },
        optional: { raw: '7349<<<<<<<<<<<', value: '' },
        optional2: { raw: '<<<<<<<<<<<', value: '' },
      },
    });
  });

  test('the old French card has its own fields', async () => {
    const card = 'IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n8806923102858CORINNE<<<<<<<6512068F6\n';
    expect((await run(bytes(card))).answers()[0]).toMatchObject({
      format: 'FRA-ID',
      fields: {
        names: { value: 'BERTHIER' },
        givenNames: { raw: 'CORINNE<<<<<<<', value: 'CORINNE' },
        documentNumber: { raw: '880692310285', value: '880692310285' },
      },
    });
  });

  test('of a partial read it prints what is missing and what there is of the number line', async () => {
    const [first, second] = stolenPassport;
    const { code, answers } = await run(bytes(`${first}\n${second.slice(0, 20)}\n`));
    expect(code).toBe(0);
    expect(answers()[0]).toEqual({
      line: 1,
      verdict: 'unreadable',
      reason: 'line-length',
      spots: [{ line: 2, from: 21, to: 44 }],
      partial: {
        line: 2,
        text: second.slice(0, 20).padEnd(44, '_'),
        issuingState: 'UTO',
        documentType: 'passport',
      },
    });
  });

  test('where the input fails, it says so and exits 1', async () => {
    let err = '';
    const broken = new Readable({
      read() {
        this.destroy(new Error('input/output error'));
      },
    });
    const code = await execute(command, [], {
      stdin: broken,
      stdout: { write: () => true },
      stderr: { write: (text) => (err += text) },
      env: {},
      signal: new AbortController().signal,
    });
    expect(code).toBe(1);
    expect(err).not.toBe('');
  });

  test('--today decides what has expired', async () => {
    const text = bytes(passport('L898902C3', '300415').join('\n'));
    expect((await run(text, '--today', '2030-04-15')).answers()[0]?.warnings).toEqual(['specimen']);
    expect((await run(text, '--today', '2030-04-16')).answers()[0]?.warnings).toContain('expired');
  });

  test('an empty input is said, and is no failure', async () => {
    const { code, out, err } = await run([]);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('no document');
  });

  test.each([[['--today', '2026-02-30']], [['--today', 'tomorrow']], [['FILE']], [['--unknown']]])(
    'called wrongly with %j, it says so and exits 2',
    async (argv) => {
      const { code, err } = await run([], ...argv);
      expect(code).toBe(2);
      expect(err).toContain('USAGE');
    },
  );

  test('the help names every exit code and explains itself with an example', async () => {
    const { code, out } = await run([], '--help');
    expect(code).toBe(0);
    expect(out).toMatch(/Exit codes: 0 .*, 1 .*, 2 /);
    expect(out).toContain('Example:');
  });

  test('a slow reader of the output holds the input back', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 });
    let taken = 0;
    function* documents() {
      for (let n = 0; n < 1000; n++) {
        taken += 1;
        yield Buffer.from(`${cleanPassport.join('\n')}\n\n`);
      }
    }
    const running = command.run(
      { text: () => undefined, flag: () => false, list: () => [], rest: [] },
      {
        stdin: Readable.from(documents()),
        stdout,
        stderr: { write: () => true },
        env: {},
        signal: new AbortController().signal,
      },
    );
    await new Promise((resolve) => {
      stdout.once('readable', resolve);
    });
    expect(taken).toBeLessThan(100);
    let answers = 0;
    stdout.on('data', (chunk: Buffer) => {
      answers += chunk.toString().split('\n').length - 1;
    });
    expect(await running).toBe(0);
    expect(answers).toBe(1000);
  });

  test('when the reader of the output goes away, it stops', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 });
    let taken = 0;
    function* documents() {
      for (;;) {
        taken += 1;
        yield Buffer.from(`${cleanPassport.join('\n')}\n\n`);
      }
    }
    const running = command.run(
      { text: () => undefined, flag: () => false, list: () => [], rest: [] },
      {
        stdin: Readable.from(documents()),
        stdout,
        stderr: { write: () => true },
        env: {},
        signal: new AbortController().signal,
      },
    );
    await new Promise((resolve) => {
      stdout.once('readable', resolve);
    });
    stdout.destroy(new Error('EPIPE'));
    expect(await running).toBe(1);
    expect(taken).toBeGreaterThan(0);
  });
});
