import Database from 'better-sqlite3';
import { headKey, verifyAudit } from '#agent/audit/index.ts';
import { readAgentKeys } from '#agent/keys.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import type { ChainLink } from '#formats/audit-chain.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, report } from '../command.ts';

export const command: Command = {
  summary: 'verify the tamper-evident record',
  help: `
checkpost audit verify: check the tamper-evident record of this terminal

Usage: checkpost audit verify --config FILE [--anchor NUMBER:HASH]... [--json]

Walks the record from its first entry and finds any entry that was altered, removed, added or reordered. It may run
while the agent runs. Without an anchor, a whole disk that was set back to an older state cannot be told from that
state; an anchor is a head that the centre keeps (see the operators' page), and must be found in the record.

  --config FILE           configuration of the agent (agent.json)
  --anchor NUMBER:HASH    an entry's number and hash known from the centre; may be given several times
  --json                  print {"entries", "hash"}, or {"error"}, as one JSON object

Exit codes: 0 the record is whole, 1 it is not or cannot be read, 2 called wrongly.

Example: checkpost audit verify --config /etc/checkpost/agent.json
`,
  options: { config: { type: 'string' }, anchor: { type: 'string', multiple: true } },
  async run(args, context) {
    const json = args.flag('json');
    const config = args.text('config');
    if (args.rest.length !== 1 || args.rest[0] !== 'verify' || config === undefined) {
      return report({ code: 'USAGE', detail: 'Say: checkpost audit verify --config FILE' }, context, json);
    }
    const anchors = parseAnchors(args.list('anchor'));
    if (!anchors.ok) return report(anchors.fault, context, json);
    const settings = loadSettings(AgentSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    const keys = readAgentKeys(settings.value);
    if (!keys.ok) return report(keys.fault, context, json);
    const opened = openReadOnly(`${settings.value.state}/checkpost.db`);
    if (!opened.ok) return report(opened.fault, context, json);
    const db = opened.value;
    try {
      const source = {
        links: () =>
          db.prepare('SELECT seq, body, hash, seal FROM audit ORDER BY seq').iterate() as Iterable<ChainLink>,
        head: () =>
          (db.prepare('SELECT value FROM meta WHERE key = ?').get(headKey) as { value: string } | undefined)
            ?.value,
      };
      // One read transaction: the agent may be appending meanwhile, and the head must belong to the entries.
      const verified = db.transaction(() => verifyAudit(source, keys.value.auditSeal, anchors.value))();
      if (!verified.ok) return report(verified.fault, context, json);
      const { seq, hash } = verified.value;
      const found = { entries: seq, hash: hash.toString('hex') };
      context.stdout.write(
        json
          ? `${JSON.stringify(found)}\n`
          : `The record is whole: ${found.entries} entries, head ${found.hash}\n`,
      );
      return 0;
    } catch (thrown) {
      return report(
        { code: 'STORE_CORRUPT', detail: `${db.name}: ${(thrown as Error).message}`, cause: thrown },
        context,
        json,
      );
    } finally {
      db.close();
    }
  },
};

function parseAnchors(given: readonly string[]): Result<{ seq: number; hash: string }[]> {
  const anchors: { seq: number; hash: string }[] = [];
  for (const text of given) {
    const match = /^([1-9][0-9]{0,15}):([0-9a-f]{64})$/.exec(text);
    if (match === null)
      return fail('USAGE', `The anchor ${text} is not NUMBER:HASH with 64 hexadecimal digits.`);
    anchors.push({ seq: Number(match[1]), hash: match[2] ?? '' });
  }
  return ok(anchors);
}

function openReadOnly(file: string): Result<Database.Database> {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 2000 });
    db.prepare('SELECT count(*) FROM audit').get();
    return ok(db);
  } catch (cause) {
    return fail('STORE_FAILED', `${file}: ${(cause as Error).message}`, cause);
  }
}
