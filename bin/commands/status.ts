import type { TerminalView } from '#contracts/officer.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { loadSettings } from '#runtime/settings.ts';
import { askAgent } from '../ask-agent.ts';
import { type Command, report } from '../command.ts';

export const command: Command = {
  summary: 'say how this terminal is',
  help: `
checkpost status: say how this terminal is

Usage: checkpost status --config FILE [--json]

Asks the agent that runs on this terminal: link to the centre, readers, age of the offline copy, clock, what is still
owed to the centre.

  --config FILE   configuration of the agent (agent.json)
  --json          print the state as one JSON object

Exit codes: 0 the agent answered, 1 it did not, 2 called wrongly.

Example: checkpost status --config /etc/checkpost/agent.json
`,
  options: { config: { type: 'string' } },
  async run(args, context) {
    const json = args.flag('json');
    const config = args.text('config');
    if (config === undefined || args.rest.length > 0) {
      return report({ code: 'USAGE', detail: 'Say: checkpost status --config FILE' }, context, json);
    }
    const settings = loadSettings(AgentSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    const answer = await askAgent(settings.value.officer);
    if (!answer.ok) return report(answer.fault, context, json);
    context.stdout.write(json ? `${JSON.stringify(answer.value)}\n` : words(answer.value));
    return 0;
  },
};

function words(view: TerminalView): string {
  const { edition, readers } = view;
  const hours = edition === null ? 0 : edition.age.seconds / 3600;
  const copy =
    edition === null
      ? 'none'
      : `version ${edition.source.version}, ${edition.source.count} documents, ${edition.age.bound === 'at-least' ? 'at least ' : ''}${hours.toFixed(1)} hours old${edition.tooOld ? ' (too old)' : edition.aging ? ' (getting old)' : ''}${edition.damaged ? ', damaged in part' : ''}`;
  return `${[
    ['terminal', `${view.terminal} at site ${view.site}${view.demo ? ' (demonstration)' : ''}`],
    ['link', view.link],
    ['clock', `${view.clock}, ${view.time}`],
    ['readers', readers.length === 0 ? 'none' : readers.map(({ id, state }) => `${id} ${state}`).join(', ')],
    ['copy', copy],
    ['owed', `${view.owed} to the centre`],
  ]
    .map(([name = '', value = '']) => `${name.padEnd(10)}${value}`)
    .join('\n')}\n`;
}
