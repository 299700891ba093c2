import type { Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, report } from '../command.ts';
import { editionWorkerFile, pagesFolder } from '../places.ts';
import { untilStopped } from '../until-stopped.ts';
import { version } from '../version.ts';

export const command: Command = {
  summary: 'run the terminal’s agent',
  help: `
checkpost agent: run the agent of this terminal

Usage: checkpost agent --config FILE [--check-config]

Reads documents from the readers, answers them, keeps the record and tells the centre. Runs until SIGTERM or Ctrl-C.
Its log is JSON lines on standard output; the line with "event":"ready" says where the officer's page is.

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
    // Loaded only now: checking a configuration needs none of it.
    const { startAgent } = await import('#agent/main.ts');
    const log = createLog(settings.value.log.level, 'agent');
    const agent = await startAgent(settings.value, {
      clock: systemClock,
      random: Math.random,
      log,
      version,
      pageDir: pagesFolder('officer'),
      editionWorker: editionWorkerFile(),
    });
    if (!agent.ok) return report(agent.fault, context, json);
    context.stdout.write(
      `${JSON.stringify({ event: 'ready', officer: agent.value.officerUrl, pid: process.pid })}\n`,
    );
    await untilStopped(context.signal);
    log.info('Stopping');
    await agent.value.close();
    return 0;
  },
};
