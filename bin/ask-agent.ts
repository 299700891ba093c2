import { get } from 'node:http';
import { TerminalView } from '#contracts/officer.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/** How the agent of this terminal is, as its officer's page is told. Fault: AGENT_SILENT. */
export async function askAgent({ host, port }: AgentSettings['officer']): Promise<Result<TerminalView>> {
  const url = `http://${host}:${port}/api/terminal`;
  const text = await new Promise<Result<string>>((resolve) => {
    const request = get(url, { timeout: 3000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(ok(body)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (cause) => {
      resolve(
        fail('AGENT_SILENT', `Nothing answers at ${url} (${systemCode(cause) ?? cause.message}).`, cause),
      );
    });
  });
  return text.ok ? parseJson(TerminalView, text.value, 'AGENT_SILENT') : text;
}
