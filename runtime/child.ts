import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Bytes, bytes, type Millis, ms } from '#contracts/units.ts';
import { systemCode } from './errors.ts';

/** A program of the system, and the Debian package that brings it. */
export interface Tool {
  readonly name: string;
  readonly package: string;
}

export interface RunOptions {
  /** Given to its standard input, which is closed after it; for what must not stand in an argument. */
  readonly input?: string;
  readonly timeout?: Millis;
  /** Most that it may print on each of its two streams. */
  readonly limit?: Bytes;
  readonly env?: Readonly<Record<string, string>>;
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
  start(tool: Tool, args: readonly string[], options?: Pick<RunOptions, 'env'>): RunningTool;
}

/**
 * Programs of this machine. Never through a shell, so that no argument is ever read as a command; in the locale C, so
 * that what they say is the same everywhere.
 *
 * `run` gives what it printed, or TOOL_MISSING (with the package to install) or TOOL_FAILED (it ended with another
 * code than 0, took too long or printed too much; with the first lines that it said). Anything that looks like a key
 * is struck out of those lines, and the arguments are not repeated.
 */
export const systemChildren: Children = {
  run(tool, args, { input, timeout = ms(10_000), limit = bytes(1_048_576), env = {} } = {}) {
    return new Promise((resolve) => {
      const child = execFile(
        tool.name,
        args,
        { timeout, maxBuffer: limit, killSignal: 'SIGKILL', env: environment(env), encoding: 'utf8' },
        (error, stdout, stderr) => {
          if (error === null) return resolve(ok(stdout));
          if (systemCode(error) === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
            return resolve(fail('TOOL_FAILED', `${tool.name} printed more than ${limit} bytes.`));
          if (error.killed === true)
            return resolve(fail('TOOL_FAILED', `${tool.name} did not end within ${timeout} ms.`));
          resolve(failure(tool, error, stderr));
        },
      );
      // A program that ends without reading its input is no fault by itself: its exit code says what happened.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input ?? '');
    });
  },

  start(tool, args, { env = {} } = {}) {
    const child = spawn(tool.name, args, { env: environment(env), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    let stopping = false;
    const ended = new Promise<Result<void>>((resolve) => {
      child.once('error', (error) => resolve(failure(tool, error, '')));
      child.once('close', (code, signal) => {
        if (stopping) resolve(ok(undefined));
        else resolve(fail('TOOL_FAILED', `${tool.name} ended ${how(code, signal)}${quote(said)}`));
      });
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

function environment(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C', ...env };
}

function failure(tool: Tool, error: Error, stderr: string): Result<never> {
  if (systemCode(error) === 'ENOENT')
    return fail('TOOL_MISSING', `${tool.name} is not installed; the package is ${tool.package}.`);
  const { code, signal } = error as { code?: number | string; signal?: string | null };
  // Neither the message nor the error itself goes on: both repeat every argument.
  return fail('TOOL_FAILED', `${tool.name} ended ${how(code, signal)}${quote(stderr)}`);
}

function how(code: number | string | null | undefined, signal: string | null | undefined): string {
  return signal === null || signal === undefined ? `with code ${code}` : `by signal ${signal}`;
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
