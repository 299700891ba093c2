import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { chooseProfile } from '#agent/readers/index.ts';
import type { HitRow } from '#contracts/api/fleet.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { EventReader } from '#test/rigs/event-source.ts';
import { refusePlay } from '#test/rigs/reader-simulator/faults.ts';
import { startStack, type Stack } from '#test/rigs/stack.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { type FleetScene, fleetScenes } from '../demo/fleet.ts';
import { scenes, type Scene, summary } from '../demo/tour.ts';
import { type ControlSocket, defaultControl, listenForOrders } from '../simulate/control.ts';
import { untilStopped } from '../until-stopped.ts';

const made = { sites: 50, terminals: 60, seed: 1 } as const;

export const command: Command = {
  summary: 'run a centre, a terminal and a simulated reader here',
  help: `
checkpost demo: the whole way of a document on this machine (what npm start runs)

Usage: checkpost demo [--once] [--profile NAME] [ports]

Starts a centre (lookup service, controller, broker), enrols and starts one terminal, and plugs a simulated reader into
a real pseudo-terminal. Beside it ${made.terminals} made-up terminals at ${made.sites} sites of five bureaus report to the centre: they stand on
the map of the operators' page, and can be hurt with keys or from another shell with \`checkpost simulate hurt\`.
Prints where the officer's page and the operators' page are. Keys play scenes; without a keyboard the scenes of the
reader play in turn. Ctrl-C stops everything and leaves nothing behind.

  --once               swipe one document that is recorded as stolen and one that is not, print the two verdicts as
                       JSON lines, and stop; without the made-up terminals
  --officer-port N     port of the officer's page (default 8700)
  --console-port N     port of the operators' page (default 8600)
  --lookup-port N      port of the lookup service (default 8443)
  --broker-port N      port of the broker (default 8883)
  --profile NAME       the reader that is simulated, one of checkpost readers profiles (default swipe)
  --keep DIR           keep everything that the demo writes in this new folder

Exit codes: 0 all of the way worked (or it was stopped), 1 something did not, 2 called wrongly.

Example: npm start -- --once
`,
  options: {
    once: { type: 'boolean' },
    'officer-port': { type: 'string' },
    'console-port': { type: 'string' },
    'lookup-port': { type: 'string' },
    'broker-port': { type: 'string' },
    profile: { type: 'string' },
    keep: { type: 'string' },
  },
  async run(args, context) {
    if (args.rest.length > 0) {
      return report(
        { code: 'USAGE', detail: `demo takes no ${args.rest[0]}; options of npm start stand behind --.` },
        context,
      );
    }
    const ports = readPorts(args);
    if (!ports.ok) return report(ports.fault, context);
    const profile = readProfile(args);
    if (!profile.ok) return report(profile.fault, context);
    const kept = args.text('keep');
    const folder = kept ?? mkdtempSync(join(tmpdir(), 'checkpost-demo-'));
    let stack: Stack | undefined;
    try {
      stack = await startStack({
        folder,
        ports: ports.value,
        profile: profile.value,
        ...(!args.flag('once') && { fleet: made }),
        say: (text) => context.stderr.write(`demo: ${text}\n`),
      });
      if (args.flag('once')) return await once(stack, context);
      await interactive(stack, context);
      return 0;
    } catch (thrown) {
      context.stderr.write(`demo: it did not work: ${(thrown as Error).message}\n`);
      return 1;
    } finally {
      await stack?.close();
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** One stolen document and one that is not recorded, all the way to the operators' page. */
async function once(stack: Stack, context: CommandContext): Promise<number> {
  const officer = await EventReader.connect(`${stack.officerUrl}/api/events`);
  const operators = await EventReader.connect(`${stack.consoleUrl}/api/v1/live`);
  try {
    const problems: string[] = [];
    for (const [key, expected] of [
      ['1', 'hit'],
      ['2', 'no-record'],
    ] as const) {
      const swiped = performance.now();
      const seen = await officer.nextLookup(() => scenes.find((scene) => scene.key === key)?.play(stack));
      context.stdout.write(`${JSON.stringify(summary(seen.data, swiped, seen.at))}\n`);
      const verdict = seen.data.verdict;
      if (verdict?.kind !== expected || !verdict.recorded)
        problems.push(`${expected} was expected, ${verdict?.kind} came`);
      if (expected === 'hit') {
        await operators.next<HitRow>('hit', ({ hit }) => hit.lookup === seen.data.lookup);
      }
    }
    for (const problem of problems) context.stderr.write(`demo: ${problem}\n`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    officer.close();
    operators.close();
  }
}

async function interactive(stack: Stack, context: CommandContext): Promise<void> {
  const control = await takeOrders(stack, context);
  context.stdout.write(`
  officer's page    ${stack.officerUrl}
  operators' page   ${stack.consoleUrl}

${[...scenes, ...fleetScenes].map(({ key, title }) => `  ${key}  ${title}`).join('\n')}
  q  stop
`);
  const { fleet } = stack;
  const [example] = fleet?.terminals.keys() ?? [];
  if (control !== undefined && example !== undefined)
    context.stdout.write(`
  in another shell: bin/checkpost simulate hurt ${example} unplug-reader
                    bin/checkpost simulate hurt ${example} heal
`);
  const play = async (scene: Scene | FleetScene): Promise<void> => {
    context.stdout.write(`  > ${scene.title}\n`);
    if (!('ofFleet' in scene)) return scene.play(stack);
    if (fleet !== undefined) context.stdout.write(`    ${await scene.play(fleet, Math.random)}\n`);
  };
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  // It may have been asked to stop while everything was being started.
  if (context.signal.aborted) stop();
  else context.signal.addEventListener('abort', stop, { once: true });
  // One scene at a time: a process must not be stopped while it is being started.
  let turn = Promise.resolve();
  const enqueue = (scene: Scene | FleetScene): void => {
    turn = turn
      .then(() => play(scene))
      .catch((thrown: unknown) => {
        context.stderr.write(`demo: ${(thrown as Error).message}\n`);
      });
  };
  const input = process.stdin;
  if (input.isTTY) {
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on('keypress', (_text, key: { name?: string; ctrl?: boolean } | undefined) => {
      if (key?.name === 'q' || (key?.ctrl === true && key.name === 'c')) return stop();
      const scene = [...scenes, ...fleetScenes].find((one) => one.key === key?.name);
      if (scene !== undefined) enqueue(scene);
    });
  }
  const swipes = scenes.filter(({ key }) => /\d/.test(key));
  let next = 0;
  const timer = input.isTTY
    ? undefined
    : setInterval(() => {
        const scene = swipes[next++ % swipes.length];
        if (scene !== undefined) enqueue(scene);
      }, 5000);
  await untilStopped(stopped.signal);
  clearInterval(timer);
  if (input.isTTY) {
    input.setRawMode(false);
    input.pause();
  }
  context.stdout.write('  stopping\n');
  await turn;
  await control?.close();
}

/** Where `checkpost simulate hurt` reaches the made-up terminals; without it the keys do. */
async function takeOrders(
  { fleet }: Stack,
  { env, stderr }: CommandContext,
): Promise<ControlSocket | undefined> {
  if (fleet === undefined) return undefined;
  const taken = await listenForOrders(defaultControl(env), fleet);
  if (taken.ok) return taken.value;
  stderr.write(`demo: ${taken.fault.detail}\n`);
  return undefined;
}

/** A reader that can be played on a pseudo-terminal. */
function readProfile(args: CommandArguments): Result<string> {
  const chosen = chooseProfile({ profile: args.text('profile') ?? 'swipe' }, []);
  if (!chosen.ok) return chosen;
  const playable = refusePlay(chosen.value, []);
  return playable.ok ? ok(chosen.value.name) : playable;
}

function readPorts(
  args: CommandArguments,
): Result<{ officer: number; console: number; lookup: number; broker: number }> {
  const ports = { officer: 8700, console: 8600, lookup: 8443, broker: 8883 };
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) {
    const text = args.text(`${name}-port`);
    if (text === undefined) continue;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      return fail('USAGE', `--${name}-port takes a port from 1 to 65535, not ${text}.`);
    ports[name] = port;
  }
  return ok(ports);
}
