import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Bytes, bytes, type Millis, ms } from '#contracts/units.ts';
import { systemCode } from './errors.ts';
import { LineCutter } from './lines.ts';

/** A program of the system, and the Debian package that brings it. */
export interface Tool {
  readonly name: string;
  readonly package: string;
}

export interface RunOptions {
  /**
   * Given to its standard input, for what must not stand in an argument. It can also be opened there by name, as
   * /dev/stdin.
   */
  readonly input?: string;
  readonly timeout?: Millis;
  /** Most that it may print on each of its two streams. */
  readonly limit?: Bytes;
  readonly env?: Readonly<Record<string, string>>;
  /** In a session of its own: what it leaves running hears no signal that is meant for us. */
  readonly detached?: boolean;
}

export interface StartOptions extends Pick<RunOptions, 'env'> {
  /** Is called with every line that it prints; without it what it prints is thrown away. */
  readonly onLine?: (line: string) => void;
}

/** A program that keeps running beside us. */
export interface RunningTool {
  /** The fault it ended with; an end that was asked for with `stop` is none. */
  readonly ended: Promise<Result<void>>;
  /** Asks it to end, and kills it where it has not within five seconds. */
  stop(): Promise<void>;
}

/** How programs are run; comes in as an argument, so that a test can stand in for the system. */
export interface Children {
  run(tool: Tool, args: readonly string[], options?: RunOptions): Promise<Result<string>>;
  start(tool: Tool, args: readonly string[], options?: StartOptions): RunningTool;
}

/** The longest line that is told; a longer one is left out. */
const lineLimit = 65_536;

/**
 * Programs of this machine. Never through a shell, so that no argument is ever read as a command; in the locale C, so
 * that what they say is the same everywhere.
 *
 * `run` gives what it printed, or TOOL_MISSING (with the package to install) or TOOL_FAILED (it ended with another
 * code than 0, took too long or printed too much; with the first lines that it said). Anything that looks like a key
 * is struck out of those lines, and the arguments are not repeated.
 */
export const systemChildren: Children = {
  run(tool, args, options = {}) {
    return new Promise((resolve) => {
      let child: ChildProcess;
      try {
        child = spawnWith(tool, args, options);
      } catch (thrown) {
        return resolve(failure(tool, thrown));
      }
      listen(tool, child, options, resolve);
    });
  },

  start(tool, args, { env = {}, onLine } = {}) {
    const child = spawn(tool.name, args, {
      env: environment(env),
      stdio: ['ignore', onLine === undefined ? 'ignore' : 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    if (onLine !== undefined && child.stdout !== null) tellLines(child.stdout, onLine);
    let stopping = false;
    const ended = new Promise<Result<void>>((resolve) => {
      child.once('error', (error) => resolve(failure(tool, error)));
      child.once('close', (code, signal) =>
        resolve(stopping ? ok(undefined) : badEnd(tool, code, signal, said)),
      );
    });
    return {
      ended,
      async stop() {
        stopping = true;
        await endOrKill(child, ended);
      },
    };
  },
};

function spawnWith(tool: Tool, args: readonly string[], options: RunOptions): ChildProcess {
  const { input, env = {}, detached = false } = options;
  const file = input === undefined ? undefined : memoryFile(input);
  try {
    const child = spawn(tool.name, args, {
      env: environment(env),
      detached,
      stdio: [file ?? (input === undefined ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
    });
    // A program that ends without reading its input is no fault by itself: its exit code says what happened.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    return child;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** O_TMPFILE of open(2), which Node does not name: the bit is the same on x86-64 and arm64 (asm-generic/fcntl.h). */
const nameless = 0o20000000 | constants.O_DIRECTORY;

/**
 * A file in memory that never had a name, open at its beginning. Node's own pipes are sockets, which Linux lets
 * nobody open by the name /dev/stdin (ENXIO), and `wg` knows no other way. Undefined where there is no /dev/shm.
 */
function memoryFile(text: string): number | undefined {
  let file: number | undefined;
  try {
    file = openSync('/dev/shm', nameless | constants.O_RDWR, 0o600);
    // At a place, so that the position stays at the beginning.
    if (writeSync(file, text, 0) === Buffer.byteLength(text)) return file;
  } catch {
    // No such folder, or it is full: a pipe still serves programs that read their standard input.
  }
  if (file !== undefined) closeSync(file);
  return undefined;
}

function listen(
  tool: Tool,
  child: ChildProcess,
  { timeout = ms(10_000), limit = bytes(1_048_576) }: RunOptions,
  resolve: (done: Result<string>) => void,
): void {
  const printed: Buffer[][] = [[], []];
  const finish = (done: Result<string>): void => {
    clearTimeout(timer);
    resolve(done);
  };
  // Does not wait for the end: what it left running may hold its streams, and a program deep in the kernel does not die.
  const giveUp = (why: string): void => {
    child.kill('SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
    finish(fail('TOOL_FAILED', `${tool.name} ${why}`));
  };
  const timer = setTimeout(() => giveUp(`did not end within ${timeout} ms.`), timeout);
  for (const [at, stream] of [child.stdout, child.stderr].entries()) {
    let size = 0;
    stream?.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > limit) giveUp(`printed more than ${limit} bytes.`);
      else printed[at]?.push(piece);
    });
  }
  const text = (at: number): string => Buffer.concat(printed[at] ?? []).toString('utf8');
  child.once('error', (error) => finish(failure(tool, error)));
  child.once('close', (code, signal) =>
    finish(code === 0 ? ok(text(0)) : badEnd(tool, code, signal, text(1))),
  );
}

/** Every line, as it comes; whoever prints is never kept waiting, and a line without end is left out. */
function tellLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let cutter = new LineCutter(lineLimit);
  stream.on('data', (piece: Buffer) => {
    for (const line of cutter.push(piece)) onLine(line);
    if (cutter.overlong) cutter = new LineCutter(lineLimit);
  });
}

function environment(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C', ...env };
}

/** It could not even be started. Neither the message nor the error itself goes on: both repeat every argument. */
function failure(tool: Tool, thrown: unknown): Result<never> {
  const code = systemCode(thrown);
  if (code === 'ENOENT')
    return fail('TOOL_MISSING', `${tool.name} is not installed; the package is ${tool.package}.`);
  return fail('TOOL_FAILED', `${tool.name} could not be started: ${code ?? 'the system refused'}.`);
}

function badEnd(tool: Tool, code: number | null, signal: string | null, said: string): Result<never> {
  const how = signal === null ? `with code ${code}` : `by signal ${signal}`;
  return fail('TOOL_FAILED', `${tool.name} ended ${how}${quote(said)}`);
}

function quote(text: string): string {
  const lines = withoutKeys(text)
    .split('\n')
    .map((line) => line.trim())
    // A banner in a frame of line drawing, as wireguard-go prints one at every start, is no news.
    .filter((line) => line !== '' && !/^[\u2500-\u257f]/.test(line));
  return lines.length === 0 ? '.' : `: ${lines.slice(0, 3).join(' / ').slice(0, 300)}`;
}

/** The text with everything struck out that could be a key: long runs of base64 or hexadecimal letters. */
export function withoutKeys(text: string): string {
  return text.replaceAll(/[A-Za-z0-9+/]{40,}={0,2}|[0-9a-fA-F]{32,}/g, '[struck out]');
}

async function endOrKill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(killer);
}
