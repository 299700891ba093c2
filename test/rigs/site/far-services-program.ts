import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { DnsServer } from '../dns-server.ts';
import type { FarChange, FarPlan } from './far-services.ts';

/** What stands behind the lines of a site, as a process of its own in a namespace; its last argument is its plan. */
const plan = JSON.parse(process.argv.at(-1) ?? '{}') as FarPlan;
if (plan.page !== undefined) {
  const { address, port, status, headers, body } = plan.page;
  const server = createServer((_, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
}
const dns = new DnsServer(plan.names);
if (plan.dns !== undefined) await dns.start(plan.dns, 53);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { mood, names } = JSON.parse(line) as FarChange;
  if (mood !== undefined) dns.mood = mood;
  if (names !== undefined) dns.names = names;
  process.stdout.write(`${JSON.stringify({ asked: dns.asked.length })}\n`);
});
process.stdout.write('{}\n');
