import { once } from 'node:events';
import { addAbortSignal, type Readable, Writable } from 'node:stream';
import { type CalendarDay, describeDocument } from '#agent/documents/index.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Command, type CommandContext, report } from '../command.ts';
import { DocumentDivider } from '../document-divider.ts';

export const command: Command = {
  summary: 'read MRZ lines from standard input',
  help: `
checkpost document: read the machine readable zone (MRZ) of travel documents

Usage: checkpost document [--today YYYY-MM-DD] < FILE

Reads the lines printed at the foot of passports (2 lines of 44 characters), cards (3 of 30 or 2 of 36) and visas from
standard input and prints one JSON object for each document. Documents are separated by an empty line. Line ends may be
LF, CRLF or CR. Nothing is searched and nothing is kept: this says only what a document says of itself.

Each object has "line", where the document begins in the input, and "verdict":
  "read"         "format" (TD1, TD2, TD3, MRV-A, MRV-B, FRA-ID), "documentType" and "searchKey" (STATE|NUMBER as it would
                 be searched, null where it cannot be);
                 "fields": each field of the format as {"raw", "value"}: as it was read, and what it means (dates as ISO
                 days with their century, null where they are unknown or none);
                 "checks": whether each check digit holds; "warnings", such as expired or number-check-digit;
                 "repairs": characters that were put right, with line, column, "from" and "to", each one proven by a
                 check digit; never in the number;
                 "variants": other numbers, with their keys, that a reader may have confused with this one and whose
                 check digits hold as well; "doubtful": places in the number, from 0, that are in doubt
  "unreadable"   "reason" why it is no document; "spots": the lines and columns concerned, counted from 1;
                 "partial", where it is known: the line that holds the number, "_" for each character not read

  --today YYYY-MM-DD   the day that decides centuries and what has expired (default: today, UTC)
  --json               changes nothing: the output is JSON in any case

Exit codes: 0 every document has its answer, unreadable ones too, 1 the input failed, 2 called wrongly.

Example: printf '%s\\n' 'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<' \\
           'L898902C36UTO7408122F1204159ZE184226B<<<<<10' | checkpost document
`,
  options: { today: { type: 'string' } },
  async run(args, context) {
    const json = args.flag('json');
    if (args.rest.length > 0) {
      return report(
        { code: 'USAGE', detail: 'The lines come from standard input: checkpost document < FILE' },
        context,
        json,
      );
    }
    const today = dayOf(args.text('today'), systemClock);
    if (!today.ok) return report(today.fault, context, json);
    return readAll(context, today.value);
  },
};

async function readAll(context: CommandContext, today: CalendarDay): Promise<number> {
  const { stdin, stderr, signal } = context;
  if ('isTTY' in stdin && stdin.isTTY === true) {
    stderr.write('Type the lines of a document, then an empty line; end with Ctrl-D.\n');
  }
  let documents = 0;
  let answers = '';
  const divider = new DocumentDivider((bytes, line) => {
    documents += 1;
    answers += `${JSON.stringify({ line, ...describeDocument(bytes, today) })}\n`;
  });
  const output = new Output(context.stdout);
  try {
    for await (const chunk of addAbortSignal(signal, stdin as Readable)) {
      divider.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : (chunk as Uint8Array));
      if (!(await output.send(answers, signal))) return 1;
      answers = '';
    }
  } catch (thrown) {
    if (signal.aborted) return 1;
    throw thrown;
  }
  divider.end();
  if (!(await output.send(answers, signal))) return 1;
  if (documents === 0) stderr.write('There was no document in the input.\n');
  return 0;
}

/** Standard output that waits for a slow reader instead of piling up, and bears one that has gone (`| head`). */
class Output {
  readonly #stdout: CommandContext['stdout'];
  #gone = false;

  constructor(stdout: CommandContext['stdout']) {
    this.#stdout = stdout;
    if (stdout instanceof Writable) stdout.on('error', () => (this.#gone = true));
  }

  /** Resolves when more may be sent; false if nobody reads any more. */
  async send(text: string, signal: AbortSignal): Promise<boolean> {
    const stdout = this.#stdout;
    if (text !== '' && stdout.write(text) === false && stdout instanceof Writable) {
      await once(stdout, 'drain', { signal }).catch((thrown: unknown) => {
        if (!this.#gone) throw thrown;
      });
    }
    return !this.#gone;
  }
}

/** The day given, or that of the clock in UTC, as the agent counts days. */
function dayOf(given: string | undefined, clock: Clock): Result<CalendarDay> {
  const iso = given ?? new Date(clock.wall()).toISOString().slice(0, 10);
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(iso);
  const date = new Date(`${iso}T00:00:00.000Z`);
  if (parts === null || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso) {
    return fail('USAGE', `--today ${iso} is no day of the calendar; write it as 2026-11-24.`);
  }
  return ok({ year: Number(parts[1]), month: Number(parts[2]), day: Number(parts[3]) });
}
