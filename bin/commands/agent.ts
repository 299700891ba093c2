import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '#agent/main.ts';
import type { Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { ms } from '#contracts/units.ts';
import { pause, readBootId, systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { LogRing, tee } from '#runtime/log-ring.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, type CommandContext, report } from '../command.ts';
import { editionWorkerFile, pagesFolder } from '../places.ts';
import { untilStopped } from '../until-stopped.ts';
import { version } from '../version.ts';

export const command: Command = {
  summary: 'run the terminal’s agent',
  help: `
checkpost agent: run the agent of this terminal

Usage: checkpost agent --config FILE [--check-config]

Reads documents from the readers, answers them, keeps the record and tells the centre. Runs until SIGTERM or Ctrl-C.
Its log is JSON lines on standard output; the line with "event":"ready" says where the officer's page is, and comes again
when it has started anew with another configuration of the centre (docs/configuration.md).

  --config FILE     configuration, usually /etc/checkpost/agent.json; docs/settings.md explains every setting
  --check-config    only check the configuration: every wrong setting is listed at once; with --json as one JSON object

Exit codes: 0 stopped in order (or the configuration is good), 1 could not start, 2 called wrongly.

Example: checkpost agent --config /etc/checkpost/agent.json --check-config
`,
  options: { config: { type: 'string' }, 'check-config': { type: 'boolean' } },
  async run(args, context) {
    const json = args.flag('json');
    const config = args.text('config');
    if (config === undefined || args.rest.length > 0) {
      return report({ code: 'USAGE', detail: 'Say: checkpost agent --config FILE' }, context, json);
    }
    const settings: Result<AgentSettings> = loadSettings(AgentSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    // What the settings say of readers is checked against the profiles; the rest of the agent is not needed for that.
    const { chooseProfiles } = await import('#agent/readers/index.ts');
    const profiles = chooseProfiles(settings.value.readers, settings.value.profiles);
    if (!profiles.ok) return report(profiles.fault, context, json);
    if (args.flag('check-config')) {
      context.stdout.write(json ? '{"ok":true}\n' : `${config}: every setting is good\n`);
      return 0;
    }
    return runAgent(settings.value, config, context, json);
  },
};

/** Starts the agent with the configuration that is in force, and anew whenever that has become another. */
async function runAgent(
  enrolled: AgentSettings,
  file: string,
  context: CommandContext,
  json: boolean,
): Promise<number> {
  // Loaded only now: checking a configuration needs none of it.
  const { startAgent } = await import('#agent/main.ts');
  const { Configuration, ConfigurationFiles, pathsIn } = await import('#agent/configuration/index.ts');
  const { chooseProfiles } = await import('#agent/readers/index.ts');
  const { readAgentKeys } = await import('#agent/keys.ts');
  const keys = readAgentKeys(enrolled);
  if (!keys.ok) return report(keys.fault, context, json);
  const ring = new LogRing();
  const output = tee(ring, process.stdout);
  let onRestart = (): void => {};
  const configuration = new Configuration({
    enrolled: { settings: enrolled, given: pathsIn(readJson(file)) },
    files: new ConfigurationFiles(join(enrolled.state, 'configuration')),
    trusted: keys.value.trusted,
    check: ({ readers, profiles }) => chooseProfiles(readers, profiles),
    boot: readBootId(),
    clock: systemClock,
    log: createLog(enrolled.log.level, 'agent', output).with({ room: 'configuration' }),
    onRestart: () => onRestart(),
  });
  for (;;) {
    // One for each start: what an earlier one still had in mind must not end this one.
    const restart = new AbortController();
    onRestart = () => restart.abort();
    await configuration.begin();
    const { settings } = configuration;
    const log = createLog(settings.log.level, 'agent', output);
    const parts = {
      clock: systemClock,
      random: Math.random,
      log,
      version,
      pageDir: pagesFolder('officer'),
      editionWorker: editionWorkerFile(),
      configuration,
      logRing: ring,
      restart: () => restart.abort(),
    };
    const agent = await startAgent(settings, parts);
    if (!agent.ok) {
      if (await configuration.startFailed(agent.fault)) continue;
      return report(agent.fault, context, json);
    }
    await configuration.started();
    const ready = { event: 'ready', officer: agent.value.officerUrl, pid: process.pid };
    context.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilStopped(AbortSignal.any([context.signal, restart.signal]));
    log.info(context.signal.aborted ? 'Stopping' : 'Starting again');
    const closed = await withinTime(closeOf(agent.value, context.signal), mostClosing);
    if (!closed) {
      // Whatever hangs would keep the process alive; the service manager starts another one.
      process.exit(
        report({ code: 'STOP_TIMEOUT', detail: `${mostClosing / 1000} s have passed.` }, context, json),
      );
    }
    if (!context.signal.aborted) continue;
    await configuration.end();
    return 0;
  }
}

/** Longest that an agent may take to end, in ms: a lookup takes as long as its deadline, and delivering a few seconds. */
const mostClosing = 30_000;

/** Ends an agent; where it only starts again, whoever waits for a verdict gets it first. */
async function closeOf(agent: Agent, stopping: AbortSignal): Promise<void> {
  if (!stopping.aborted) await agent.idle();
  await agent.close();
}

/** Whether it came to its end within so many ms. */
async function withinTime(work: Promise<void>, most: number): Promise<boolean> {
  const end = new AbortController();
  const late = pause(systemClock, ms(most), end.signal).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    end.abort();
  }
}

/** The file once more, as it was written: which settings stand in it. It has been read and found good already. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}
