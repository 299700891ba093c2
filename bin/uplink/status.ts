import type { agedStatus, describeUplink } from '#uplink/index.ts';
import type { Fault } from '#contracts/result.ts';
import { type MonotonicTime, ms } from '#contracts/units.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import { describeFault } from '#runtime/errors.ts';
import { askUplink, watchUplink } from '#runtime/uplink-client.ts';
import { type CommandContext, report } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';

/** The words of the uplink: loaded only where they are wanted, since the rest of that room comes with them. */
interface Words {
  readonly agedStatus: typeof agedStatus;
  readonly describeUplink: typeof describeUplink;
}
const loadWords = (): Promise<Words> => import('#uplink/words/index.ts');

/** Says once how the uplink is. Exit code 0 where the tunnel is up. */
export async function sayStatus(socket: string, context: CommandContext, json: boolean): Promise<number> {
  const answer = await askUplink(socket, { verb: 'status' }, { timeout: ms(5000), signal: context.signal });
  if (!answer.ok) return report(answer.fault, context, json);
  const status = answer.value;
  if (status === undefined)
    return report({ code: 'UPLINK_ABSENT', detail: `${socket}: it did not say how it is.` }, context, json);
  const words = await loadWords();
  context.stdout.write(
    json ? `${JSON.stringify(status)}\n` : text(words.describeUplink(status, systemClock.wall())),
  );
  return status.state === 'up' ? 0 : 1;
}

/** Says it again and again until the signal: whatever is known stays on the page, with its age. */
export async function followStatus(socket: string, context: CommandContext, json: boolean): Promise<number> {
  const screen = context.stdout as { isTTY?: boolean; rows?: number };
  const page = json
    ? jsonLines(context)
    : screen.isTTY === true
      ? paintedPage(await loadWords(), context, () => screen.rows ?? 24, systemClock)
      : blocks(await loadWords(), context);
  let up = false;
  // Between two attempts nothing else keeps the process alive.
  const stopped = untilStopped(context.signal);
  await watchUplink(socket, {
    clock: systemClock,
    random: Math.random,
    signal: context.signal,
    onStatus(status) {
      up = status.state === 'up';
      page.status(status);
    },
    onAbsent(fault) {
      up = false;
      page.absent(fault);
    },
  });
  await stopped;
  page.close();
  return up ? 0 : 1;
}

interface Page {
  status(status: UplinkStatus): void;
  absent(fault: Fault): void;
  close(): void;
}

function jsonLines({ stdout }: CommandContext): Page {
  let last = '';
  const write = (value: unknown): void => void stdout.write(`${JSON.stringify(value)}\n`);
  return {
    status(status) {
      last = '';
      write(status);
    },
    absent({ code, detail }) {
      // Every attempt fails in the same way: it is said once.
      if (last !== detail) write({ error: { code, detail } });
      last = detail;
    },
    close() {},
  };
}

/** For a pipe: a block with an empty line after it, whenever something but ages and figures has changed. */
function blocks(words: Words, { stdout }: CommandContext): Page {
  let last = '';
  const write = (news: string, block: () => string): void => {
    if (news !== last) stdout.write(`${block()}\n`);
    last = news;
  };
  const wandering = new Set([
    'since',
    'at',
    'paths',
    'mtu',
    'monthBytes',
    'detectSeconds',
    'clock',
    'events',
  ]);
  return {
    status(status) {
      const news = JSON.stringify(status, (key, value: unknown) => (wandering.has(key) ? undefined : value));
      write(news, () => text(words.describeUplink(status, systemClock.wall())));
    },
    absent(fault) {
      write(fault.code, () => text(absentWords(fault)));
    },
    close() {},
  };
}

/** For a terminal: one page that is painted over every second, so that the ages on it go on. */
function paintedPage(words: Words, { stdout }: CommandContext, rows: () => number, clock: Clock): Page {
  let lines = (): string[] => ['Asking the uplink …'];
  let cancel = (): void => {};
  const paint = (): void => {
    cancel();
    // A line too many would scroll the first one away, which is the one that counts.
    const shown = lines().slice(0, Math.max(1, rows() - 1));
    // Home; each line and nothing after it; nothing below (ECMA-48, 8.3.21 CUP, 8.3.41 EL, 8.3.39 ED).
    stdout.write(`\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    cancel = clock.after(ms(1000), paint);
  };
  stdout.write('\u001b[2J');
  paint();
  const ageOf = (at: MonotonicTime): number => (clock.monotonic() - at) / 1000;
  return {
    status(status) {
      const at = clock.monotonic();
      lines = () => words.describeUplink(words.agedStatus(status, ageOf(at)), clock.wall());
      paint();
    },
    absent(fault) {
      lines = () => absentWords(fault);
      paint();
    },
    close: () => cancel(),
  };
}

function absentWords(fault: Fault): string[] {
  return ['NOT KNOWN: the uplink does not answer.', ...describeFault(fault).split('\n')];
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
