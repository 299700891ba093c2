import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Aims, attemptsOf, make, nameOf, openPacketSocket } from './attempts.ts';
import { openCalls } from './calls.ts';

/**
 * A program that tries to talk to the outside without pause, in the namespace and as the user that it is started with:
 * `node program.ts ORDERS`. It answers each line of its standard input with what it has tried so far, as JSON, and ends
 * with it.
 */
export interface Orders extends Aims {
  /** The user that it becomes; undefined: it stays what it is. */
  readonly user: number | undefined;
  /** A device through which it sets default routes of its own, again and again. */
  readonly routesBy: string | undefined;
}

export interface Told {
  /** How many attempts were made. */
  readonly made: number;
  /** How many of them are a whole round. */
  readonly round: number;
  /** By kind and family. */
  readonly tried: Readonly<Record<string, number>>;
  /** How many of them the kernel took. */
  readonly taken: Readonly<Record<string, number>>;
}

/** Attempts in a row, and the pause after them, so that others get their share of the machine. */
const [inRow, pauseMs] = [25, 20];
/** So long a TCP socket stays, for the kernel to repeat what was not answered (once in that time). */
const stayMs = 1500;
const routesEveryMs = 500;

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const calls = openCalls();
const attempts = attemptsOf(orders);
const tried: Record<string, number> = {};
const taken: Record<string, number> = {};
const staying: { readonly fd: number; readonly until: number }[] = [];
let made = 0;
let paused = false;

if (orders.user !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(orders.user);
  process.setuid?.(orders.user);
}
const packetSocket = openPacketSocket(calls);

function release(now: number): void {
  while (staying[0] !== undefined && staying[0].until <= now) calls.close(staying.shift()?.fd ?? -1);
}

function work(): void {
  release(performance.now());
  if (paused) return;
  for (let i = 0; i < inRow; i++) {
    const attempt = attempts[made % attempts.length];
    if (attempt === undefined) return;
    const name = nameOf(attempt);
    const { taken: isTaken, fd } = make(calls, attempt, packetSocket);
    made++;
    tried[name] = (tried[name] ?? 0) + 1;
    if (isTaken) taken[name] = (taken[name] ?? 0) + 1;
    if (isTaken && attempt.kind === 'tcp') staying.push({ fd, until: performance.now() + stayMs });
    else if (fd >= 0) calls.close(fd);
  }
}

function setRoutes(by: string): void {
  for (const family of ['-4', '-6'])
    execFile('ip', [family, 'route', 'replace', 'default', 'dev', by], () => {});
}

setInterval(work, pauseMs);
const { routesBy } = orders;
if (routesBy !== undefined) setInterval(() => setRoutes(routesBy), routesEveryMs);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'pause') {
      paused = true;
      release(Number.POSITIVE_INFINITY);
    }
    if (line === 'go') paused = false;
    process.stdout.write(
      `${JSON.stringify({ made, round: attempts.length, tried, taken } satisfies Told)}\n`,
    );
  })
  .on('close', () => process.exit(0));
