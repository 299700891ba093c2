import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { parseValue } from '#runtime/parse.ts';
import {
  FleetAnswer,
  type FleetCounts,
  type FleetHands,
  FleetOrder,
  type StreamOfTerminal,
} from '#test/rigs/fleet/orders.ts';

/** Plays a fleet in several processes, each with its part of the terminals; they run this same command. */
export function startParts(count: number): FleetHands {
  const children = Array.from({ length: count }, (_, at) =>
    fork(process.argv[1] ?? '', [...process.argv.slice(2), '--part', `${at}/${count}`], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  let turn: Promise<unknown> = Promise.resolve();
  return {
    obey(order) {
      // One after the other, so that each answer is that of its question.
      const answer = turn.then(async () =>
        merge(await Promise.all(children.map((child) => ask(child, order)))),
      );
      turn = answer.catch(() => {});
      return answer;
    },
    async close() {
      await Promise.all(children.map(stop));
    },
  };
}

/** In a process that plays a part: obeys the one that started it; the signal says that it is gone. */
export function obeyParent(hands: FleetHands): AbortSignal {
  const gone = new AbortController();
  process.on('disconnect', () => gone.abort());
  process.on('message', (message) => {
    const order = parseValue(FleetOrder, message, 'USAGE');
    if (order.ok) void hands.obey(order.value).then((answer) => process.send?.(answer));
  });
  return gone.signal;
}

function ask(child: ChildProcess, order: FleetOrder): Promise<FleetAnswer> {
  const dead: FleetAnswer = { ok: false, detail: 'A process that plays a part of them has ended.' };
  if (!child.connected) return Promise.resolve(dead);
  return new Promise((resolve) => {
    const ended = (): void => resolve(dead);
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      const answer = parseValue(FleetAnswer, message, 'INTERNAL');
      resolve(answer.ok ? answer.value : { ok: false, detail: answer.fault.detail });
    });
    child.send(order);
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** A terminal is played by one of them, and the others do not know it: it is done where one has done it. */
function merge(answers: readonly FleetAnswer[]): FleetAnswer {
  const done = answers.filter((answer) => answer.ok);
  const [first] = answers;
  if (done.length === 0) return first ?? { ok: false, detail: 'Nobody plays.' };
  const counts = done.flatMap((answer) => answer.counts ?? []);
  const streams = done.flatMap((answer): StreamOfTerminal[] => answer.streams ?? []);
  return {
    ok: true,
    ...(counts.length > 0 && { counts: counts.reduce(sum) }),
    ...(streams.length > 0 && { streams }),
  };
}

function sum(one: FleetCounts, other: FleetCounts): FleetCounts {
  return {
    terminals: one.terminals + other.terminals,
    connected: one.connected + other.connected,
    owed: one.owed + other.owed,
    acknowledged: one.acknowledged + other.acknowledged,
    reports: one.reports + other.reports,
    memoryMiB: one.memoryMiB + other.memoryMiB,
    cpuSeconds: Math.round((one.cpuSeconds + other.cpuSeconds) * 100) / 100,
  };
}
