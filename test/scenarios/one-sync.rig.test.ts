import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LookupView } from '#contracts/officer.ts';
import { passport } from '../rigs/documents.ts';
import { EventReader } from '../rigs/event-source.ts';
import { eventually } from '../rigs/eventually.ts';
import { requires } from '../rigs/requirements.ts';
import { removeFolder, startStack } from '../rigs/stack.ts';

const reason = requires({ test: 'one sync a document', root: true, tools: ['strace'] });
const documents = 10;

test.skipIf(reason !== undefined)(
  'A document answered by the copy costs one sync of the disk, before its verdict leaves, and nothing more',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-sync-'));
    const stack = await startStack({
      folder,
      agent: { audit: { headEvery: 100_000 }, central: { probeMillis: 500 } },
    });
    const trace = join(folder, 'trace');
    try {
      await eventually(() => stack.linkIsUp());
      await stack.central.stop();
      await eventually(async () => !(await stack.linkIsUp()), { timeoutMs: 40_000 });
      const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
      const strace = spawn(
        'strace',
        [
          '-f',
          '-tt',
          '-qq',
          '-e',
          'trace=fsync,fdatasync,sync_file_range,writev,write',
          '-s',
          '40',
          '-p',
          String(stack.agent.pid),
          '-o',
          trace,
        ],
        { stdio: 'ignore' },
      );
      await eventually(() => existsSync(trace) && attached(stack.agent.pid), {
        what: 'strace being attached',
      });
      for (let i = 0; i < documents; i++) {
        stack.reader.send(`${passport(`SYNC0000${i}`).join('\r')}\r`);
        const seen = await events.next<LookupView>(
          'lookup',
          (view) => view.document?.documentNumber === `SYNC0000${i}` && view.phase === 'final',
        );
        expect(seen.data.verdict).toMatchObject({ kind: 'no-record', basis: 'edition', recorded: true });
      }
      events.close();
      const ended = new Promise((done) => strace.once('exit', done));
      strace.kill('SIGINT');
      await ended;
      const lines = readFileSync(trace, 'utf8').split('\n');
      expect(lines.filter((line) => /\b(fsync|fdatasync|sync_file_range)\(/.test(line))).toHaveLength(
        documents,
      );
      // In time: a sync, then the event of its document, one after the other.
      const order = lines.flatMap((line) =>
        /\b(fsync|fdatasync)\(/.test(line) ? ['sync'] : line.includes('event: lookup') ? ['event'] : [],
      );
      expect(order).toEqual(Array.from({ length: documents }, () => ['sync', 'event']).flat());
    } finally {
      await stack.close();
      removeFolder(folder);
    }
  },
);

function attached(pid: number): boolean {
  return /TracerPid:\s+[1-9]/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
