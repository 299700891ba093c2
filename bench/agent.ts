import { spawn } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startAgent } from '#agent/main.ts';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { loadSettings } from '#runtime/settings.ts';
import { editionWorkerFile, pagesFolder } from '../bin/places.ts';
import { version } from '../bin/version.ts';
import { passport } from '#test/rigs/documents.ts';
import { EventReader } from '#test/rigs/event-source.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type Stack, startStack } from '#test/rigs/stack.ts';
import { type BenchOptions, type Figure, percentile, round } from './bench.ts';

/**
 * The agent as it ships (the bundle, its own process) on real parts: pseudo-terminal, SQLite, the officer's page. The
 * centre is stopped, so that every answer has basis edition with the durable record inside.
 */
export async function benchAgent(options: BenchOptions): Promise<Figure[]> {
  const swipes = options.small ? 100 : 2000;
  const stack = await startStack({ folder: options.folder, logLevel: 'warn' });
  try {
    options.say('waiting for the time to be verified, then stopping the centre');
    await terminalState(stack, (view) => view.clock === 'verified' && view.link === 'up');
    await stack.broker.stop();
    await stack.central.stop();
    await terminalState(stack, (view) => view.link === 'down');
    const figures = [
      ...(await memoryAndIdle(stack, options)),
      ...(await latency(stack, swipes, options)),
      memory(stack, `resident after ${swipes} documents`),
    ];
    figures.push(...(await starts(stack, options)));
    await stack.agent.stop();
    figures.push(...(await breakdown(stack, swipes, options)));
    figures.push(...floor(options.folder, swipes, figures));
    return figures;
  } finally {
    await stack.close();
  }
}

async function terminalState(stack: Stack, fits: (view: TerminalView) => boolean): Promise<void> {
  await eventually(
    async () => {
      const response = await fetch(`${stack.officerUrl}/api/terminal`);
      return fits((await response.json()) as TerminalView);
    },
    { timeoutMs: 30_000, everyMs: 100, what: 'the state of the terminal' },
  );
}

/** Resident memory of a process in MiB, as the kernel counts it. */
function residentMiB(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Fields 14 and 15 of proc(5), user and system time in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

let bareNode: number | undefined;

function memory(stack: Stack, what: string): Figure {
  const value = residentMiB(stack.agent.pid);
  const rival = bareNode === undefined ? {} : { rival: 'bare Node', ratio: round(value / bareNode) };
  return { name: 'agent memory', case: what, value: round(value), unit: 'MiB', target: 100, ...rival };
}

async function memoryAndIdle(stack: Stack, { small, say }: BenchOptions): Promise<Figure[]> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  await pause(1000);
  bareNode = residentMiB(bare.pid ?? 0);
  bare.kill();
  const seconds = small ? 5 : 60;
  say(`idling for ${seconds} s`);
  await pause(2000);
  const before = cpuSeconds(stack.agent.pid);
  const began = performance.now();
  await pause(seconds * 1000);
  const share = (100 * (cpuSeconds(stack.agent.pid) - before)) / ((performance.now() - began) / 1000);
  return [
    { name: 'bare Node', case: 'resident', value: round(bareNode), unit: 'MiB' },
    memory(stack, 'resident after start'),
    { name: 'agent idle', case: `over ${seconds} s`, value: round(share), unit: '% of a core', target: 1 },
  ];
}

async function latency(stack: Stack, swipes: number, { say }: BenchOptions): Promise<Figure[]> {
  say(`${swipes} documents on the pseudo-terminal`);
  const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
  const inside: number[] = [];
  const whole: number[] = [];
  for (let i = 0; i < swipes; i++) {
    const number = `B${String(i).padStart(8, '0')}`;
    const [first, second] = passport(number);
    const from = events.events.length;
    const sent = performance.now();
    stack.reader.send(`${first}\r${second}\r`);
    const seen = await events.next<LookupView>(
      'lookup',
      (view) => view.phase === 'final' && view.document?.documentNumber === number,
      { from },
    );
    const { verdict } = seen.data;
    if (verdict?.kind !== 'no-record' || verdict.basis !== 'edition' || !verdict.recorded) {
      throw new Error(`document ${i} was answered ${verdict?.kind}, not a recorded no-record of the edition`);
    }
    inside.push(seen.data.elapsedMillis);
    whole.push(seen.at - sent);
  }
  events.close();
  const figures = (name: string, samples: readonly number[], target?: number): Figure[] => [
    { name, case: 'median', value: round(percentile(samples, 0.5)), unit: 'ms' },
    {
      name,
      case: 'p99',
      value: round(percentile(samples, 0.99)),
      unit: 'ms',
      ...(target !== undefined && { target }),
    },
  ];
  return [
    ...figures('last byte to verdict event', inside, 8),
    ...figures('swipe sent to event at the page', whole),
  ];
}

/** From the start of the process to its ready line, which it prints once readers are being opened. */
async function starts(stack: Stack, { small, say }: BenchOptions): Promise<Figure[]> {
  say('starting the agent again and again');
  const samples: number[] = [];
  for (let i = 0; i < (small ? 3 : 15); i++) {
    await stack.agent.stop();
    const began = performance.now();
    await stack.agent.start();
    await terminalState(stack, (view) => view.readers.every(({ state }) => state === 'ready'));
    samples.push((performance.now() - began) / 1000);
  }
  return [
    { name: 'start to reader ready', case: 'median', value: round(percentile(samples, 0.5)), unit: 's' },
    {
      name: 'start to reader ready',
      case: 'slowest',
      value: round(Math.max(...samples)),
      unit: 's',
      target: 1.5,
    },
  ];
}

/** The same agent inside this process, which tells each stage of the way of a frame. */
async function breakdown(stack: Stack, swipes: number, { say }: BenchOptions): Promise<Figure[]> {
  say('the breakdown, inside one process');
  const settings = loadSettings(AgentSettings, stack.agentConfig);
  if (!settings.ok) throw new Error(settings.fault.detail);
  const stages = new Map<string, number[]>();
  const agent = await startAgent(settings.value, {
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    version,
    pageDir: pagesFolder('officer'),
    editionWorker: editionWorkerFile(),
    observe: (stage, millis) => stages.set(stage, [...(stages.get(stage) ?? []), millis]),
  });
  if (!agent.ok) throw new Error(agent.fault.detail);
  try {
    const events = await EventReader.connect(`${agent.value.officerUrl}/api/events`);
    for (let i = 0; i < swipes; i++) {
      const number = `C${String(i).padStart(8, '0')}`;
      const [first, second] = passport(number);
      const from = events.events.length;
      stack.reader.send(`${first}\r${second}\r`);
      await events.next<LookupView>(
        'lookup',
        (view) => view.phase === 'final' && view.document?.documentNumber === number,
        { from },
      );
    }
    events.close();
  } finally {
    await agent.value.close();
  }
  return ['framing', 'parse', 'lookup', 'record', 'publish'].flatMap((stage) => {
    const samples = (stages.get(stage) ?? []).map((millis) => millis * 1000);
    return [
      { name: `of it ${stage}`, case: 'median', value: round(percentile(samples, 0.5)), unit: 'µs' as const },
      { name: `of it ${stage}`, case: 'p99', value: round(percentile(samples, 0.99)), unit: 'µs' as const },
    ];
  });
}

/** What the disk itself costs: one append of a record's size and one sync, without any database. */
function floor(folder: string, count: number, figures: readonly Figure[]): Figure[] {
  const file = openSync(join(folder, 'floor'), 'a');
  const block = Buffer.alloc(12_288, 1);
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    samples.push((performance.now() - began) * 1000);
  }
  closeSync(file);
  const median = round(percentile(samples, 0.5));
  const record = figures.find((figure) => figure.name === 'of it record' && figure.case === 'median');
  return [
    { name: 'durable append', case: 'plain file, median', value: median, unit: 'µs' },
    ...(record === undefined
      ? []
      : [
          {
            ...record,
            name: 'durable record',
            rival: 'append and sync of a plain file',
            ratio: round(record.value / median),
          },
        ]),
  ];
}
