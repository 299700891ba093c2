import { connect, type Socket } from 'node:net';
import { type ErrorCode, errors } from '#contracts/errors.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { UplinkAnswer, uplinkLineLimit, UplinkRequest, type UplinkStatus } from '#contracts/uplink.ts';
import { Backoff } from './backoff.ts';
import { type Clock, pause, systemClock } from './clock.ts';
import { systemCode } from './errors.ts';
import { LineCutter } from './lines.ts';
import { parseJson, parseValue } from './parse.ts';

/** Where the socket lies unless the configuration of the uplink says otherwise. */
export const uplinkSocket = '/run/checkpost-uplink/control.sock';

/** Longest answer that is taken, in bytes: a status with every list full is shorter. */
const answerLimit = 262_144;

/** A request as it is asked for: its number is given here. */
export type UplinkAsk = UplinkRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

export interface AskOptions {
  readonly timeout: Millis;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Asks the uplink of this machine one thing, over a connection of its own. The answer has the status where that was
 * asked for.
 *
 * Faults: UPLINK_ABSENT where nothing answers, in time or in this protocol; UPLINK_DENIED where this user may not ask
 * it; UPLINK_REQUEST_INVALID where the request does not fit its schema; STOPPED by the signal; else what the uplink
 * says.
 */
export function askUplink(
  path: string,
  ask: UplinkAsk,
  { timeout, signal, clock = systemClock }: AskOptions,
): Promise<Result<UplinkStatus | undefined>> {
  const request = parseValue(UplinkRequest, { id: 1, ...ask }, 'UPLINK_REQUEST_INVALID');
  if (!request.ok) return Promise.resolve(request);
  const line = JSON.stringify(request.value);
  if (Buffer.byteLength(line) > uplinkLineLimit)
    return Promise.resolve(fail('UPLINK_REQUEST_INVALID', `It is longer than ${uplinkLineLimit} bytes.`));
  return new Promise((resolve) => {
    const end = (result: Result<UplinkStatus | undefined>): void => {
      cancel();
      signal?.removeEventListener('abort', stop);
      talk.end();
      resolve(result);
    };
    const stop = (): void => end(fail('STOPPED', 'The uplink was not waited for.'));
    const talk = openTalk(path, {
      connected: () => talk.send(line),
      answer: (answer) => {
        const result = resultOf(answer, path);
        // What is said to number 0 is about the connection, such as that this user has no right to it.
        if (answer.id === request.value.id || !result.ok) end(result);
      },
      lost: (fault) => end({ ok: false, fault }),
    });
    const cancel = clock.after(timeout, () =>
      end(fail('UPLINK_ABSENT', `${path}: no answer within ${timeout / 1000} s.`)),
    );
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** The status at once, after every change, and now and then in between. */
  readonly onStatus: (status: UplinkStatus) => void;
  /** Nothing answers, or what answers will not: said at every attempt that fails. */
  readonly onAbsent: (fault: Fault) => void;
  readonly signal: AbortSignal;
}

/** The uplink is asked so often while it says nothing of itself, so that one that hangs is noticed. */
const askEvery = ms(30_000);
const answerWithin = ms(10_000);
/** A connection that lived so long has worked. */
const worksAfter = ms(5000);

/**
 * Watches the uplink until the signal is aborted, through its restarts: connects again with pauses that double up to
 * 10 s. Fulfilled when it has ended; never rejects.
 */
export async function watchUplink(path: string, options: WatchOptions): Promise<void> {
  const { clock, random, signal, onAbsent } = options;
  const backoff = new Backoff(ms(250), ms(10_000), random);
  while (!signal.aborted) {
    const fault = await watchOnce(path, options, () => backoff.worked());
    if (signal.aborted) return;
    onAbsent(fault);
    await pause(clock, backoff.next(), signal);
  }
}

function watchOnce(
  path: string,
  { clock, onStatus, signal }: WatchOptions,
  worked: () => void,
): Promise<Fault> {
  return new Promise((resolve) => {
    let over = false;
    let next = 1;
    let cancelSilence = (): void => {};
    let cancelWorked = (): void => {};
    const end = (fault: Fault): void => {
      if (over) return;
      over = true;
      cancelSilence();
      cancelWorked();
      signal.removeEventListener('abort', stop);
      talk.end();
      resolve(fault);
    };
    const stop = (): void => end({ code: 'STOPPED', detail: 'The uplink is not watched any more.' });
    const silent = (): void => end({ code: 'UPLINK_ABSENT', detail: `${path}: it answers no more.` });
    const ask = (): void => {
      cancelSilence();
      talk.send(JSON.stringify({ id: ++next, verb: 'status' } satisfies UplinkRequest));
      cancelSilence = clock.after(answerWithin, silent);
    };
    const talk = openTalk(path, {
      connected: () => {
        talk.send(JSON.stringify({ id: next, verb: 'watch' } satisfies UplinkRequest));
        cancelWorked = clock.after(worksAfter, worked);
      },
      answer: (answer) => {
        const result = resultOf(answer, path);
        if (!result.ok) return end(result.fault);
        cancelSilence();
        cancelSilence = clock.after(askEvery, ask);
        if (result.value !== undefined) onStatus(result.value);
      },
      lost: end,
    });
    cancelSilence = clock.after(answerWithin, silent);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

interface Talk {
  send(line: string): void;
  end(): void;
}

interface Ears {
  connected(): void;
  answer(answer: UplinkAnswer): void;
  /** Called at most once, and not after `end`. */
  lost(fault: Fault): void;
}

/** One connection: lines out, answers in. */
function openTalk(path: string, ears: Ears): Talk {
  const socket: Socket = connect(path);
  const cutter = new LineCutter(answerLimit);
  let over = false;
  const lose = (fault: Fault): void => {
    if (over) return;
    end();
    ears.lost(fault);
  };
  const end = (): void => {
    over = true;
    socket.destroy();
  };
  const nonsense = (detail: string): void => lose({ code: 'UPLINK_ABSENT', detail: `${path}: ${detail}` });
  socket.on('connect', () => {
    if (!over) ears.connected();
  });
  socket.on('data', (piece: Buffer) => {
    for (const line of cutter.push(piece)) {
      if (over) return;
      const answer = parseJson(UplinkAnswer, line, 'UPLINK_ABSENT');
      if (!answer.ok)
        return nonsense(`what answers there is no uplink of this release (${answer.fault.detail})`);
      ears.answer(answer.value);
    }
    if (cutter.overlong) nonsense('what answers there is no uplink: its line does not end');
  });
  socket.on('error', (cause) => lose(faultOf(cause, path)));
  socket.on('close', () => nonsense('it hung up'));
  return {
    send: (line) => void (over || socket.write(`${line}\n`)),
    end,
  };
}

function faultOf(cause: Error, path: string): Fault {
  const code = systemCode(cause) ?? cause.message;
  if (code === 'EACCES' || code === 'EPERM')
    return { code: 'UPLINK_DENIED', detail: `${path}: this user may not open it (${code}).`, cause };
  return { code: 'UPLINK_ABSENT', detail: `${path}: nothing answers there (${code}).`, cause };
}

function resultOf(answer: UplinkAnswer, path: string): Result<UplinkStatus | undefined> {
  if (answer.ok) return ok(answer.status);
  const { code, detail } = answer;
  return Object.hasOwn(errors, code)
    ? fail(code as ErrorCode, detail)
    : fail('INTERNAL', `${path}: it answered ${code}: ${detail}`);
}
