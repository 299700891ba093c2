import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LookupView } from '#contracts/officer.ts';
import { cleanPassport, passport, stolenPassport } from '../rigs/documents.ts';
import { EventReader } from '../rigs/event-source.ts';
import { eventually } from '../rigs/eventually.ts';
import { removeFolder, startStack } from '../rigs/stack.ts';

test('No document number, name, line of an MRZ or key is in any log at level trace, of agent, centre and broker', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-logs-'));
  const stack = await startStack({ folder, logLevel: 'trace' });
  try {
    const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
    const swiped = [stolenPassport, cleanPassport, passport('SPECLOOK6'), passport('SECRET001')];
    for (const lines of swiped) {
      const seen = await events.nextLookup(() => stack.reader.send(`${lines.join('\r')}\r`));
      if (seen.data.verdict?.kind === 'hit') {
        const done = await fetch(`${stack.officerUrl}/api/lookups/${seen.data.lookup}/acknowledge`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"outcome":"document-held"}',
        });
        expect(done.status).toBe(200);
      }
    }
    // Bad input must not be quoted either.
    stack.reader.send(`${stolenPassport[0]}\r${stolenPassport[1].slice(0, 30)}\r`);
    await events.next<LookupView>('lookup', (view) => view.verdict?.kind === 'unreadable');
    stack.reader.send(`XX${stolenPassport[1].repeat(20)}`);
    await fetch(`${stack.officerUrl}/api/lookups/L898902C3/acknowledge`, {
      method: 'POST',
      body: 'L898902C3',
    });
    await eventually(async () => (await stack.terminalView()).owed === 0);
    await stack.central.stop();
    // Between STX and ETX, since what came before is a flood until the line has been silent.
    stack.reader.send(`\x02${passport('SECRET002').join('\r')}\r\x03`);
    await events.next<LookupView>(
      'lookup',
      (view) => view.document?.documentNumber === 'SECRET002' && view.phase === 'final',
    );
    events.close();
  } finally {
    await stack.close();
  }
  const logs = readdirSync(join(folder, 'logs')).map((name) =>
    readFileSync(join(folder, 'logs', name), 'utf8'),
  );
  const all = logs.join('\n');
  expect(logs).toHaveLength(3);
  for (const log of logs) expect(log.length).toBeGreaterThan(100);
  expect(all.match(/"level":(10|20)/g)?.length).toBeGreaterThan(0);
  for (const number of ['L898902C', 'X734211K', 'SPECLOOK', 'SECRET00']) expect(all).not.toContain(number);
  expect(all).not.toMatch(/ERIKSSON|ANNA|MARIA|P<UTO|ZE184226B/);
  for (const secret of secretsIn(folder)) expect(all.includes(secret)).toBe(false);
  removeFolder(folder);
});

/** Every secret that authority and terminal hold: hexadecimal secrets, and the bodies of private keys. */
function secretsIn(folder: string): string[] {
  const found: string[] = [];
  for (const place of ['authority', 'terminal', 'central', 'controller', 'broker']) {
    for (const name of readdirSync(join(folder, place), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(json|pem)$/.test(name)) continue;
      const text = readFileSync(join(folder, place, name), 'utf8');
      found.push(...[...text.matchAll(/"secret":\s*"([0-9a-f]{64})"/g)].map((match) => match[1] ?? ''));
      if (text.includes('PRIVATE KEY')) found.push(text.split('\n')[1] ?? '');
    }
  }
  expect(found.length).toBeGreaterThan(5);
  return found;
}
