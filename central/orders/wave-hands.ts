import { LayerValues } from '#contracts/configuration.ts';
import { commandExpirySeconds } from '#contracts/command.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { parseValue } from '#runtime/parse.ts';
import type { WriteTx } from '../store/index.ts';
import { compose } from './compose.ts';
import { type CommandRecord, later } from './command-record.ts';
import type { CommandBook } from './commands.ts';
import { layerRecord, writeLayer } from './layers.ts';
import type { OrdersParts } from './ports.ts';
import { within } from './sql.ts';
import { canonical, merged } from './values.ts';
import type { WaveRecord } from './wave-record.ts';
import type { WaveHands } from './wave-steps.ts';

type Parts = Pick<OrdersParts, 'registry' | 'session' | 'audit' | 'addEvent' | 'clock'>;

/** What a wave does at a terminal: a command, or values in its layer, which are taken back where they do not hold. */
export function waveHands(parts: Parts, commands: CommandBook): WaveHands {
  const { registry, session, audit } = parts;

  return {
    async command(tx, wave, action, terminals, now) {
      const sent: CommandRecord[] = [];
      for (const { terminal } of terminals) {
        const found = registry.find(terminal);
        const current = session(terminal);
        if (found === undefined || current === undefined) continue;
        const record = await commands.insert(tx, {
          terminal: found,
          session: current,
          command: action.command,
          expirySeconds: Math.min(commandExpirySeconds, wave.timeout_seconds),
          by: wave.by_whom,
          wave,
        });
        await underWay(tx, wave, terminal, now, { command: record.id });
        sent.push(record);
      }
      return sent;
    },

    async configure(tx, wave, action, terminals, now) {
      const written = new Map<string, { version: number; before: string }>();
      const known: RegisteredTerminal[] = [];
      for (const found of terminals.flatMap(({ terminal }) => registry.find(terminal) ?? [])) {
        const { terminal } = found;
        const scope = `terminal:${terminal}`;
        await tx.lock(`layer:${scope}`);
        const layer = await layerRecord(tx, scope);
        const before = layer?.body ?? '{}';
        const values = parseValue(LayerValues, merged(JSON.parse(before), action.values), 'REQUEST_INVALID');
        if (!values.ok) {
          await failed(tx, wave, terminal, values.fault.detail);
          continue;
        }
        known.push(found);
        const body = JSON.stringify(canonical(values.value));
        if (body === before) continue;
        const version = (layer?.version ?? 0) + 1;
        const note = `Wave “${wave.title}”`;
        await writeLayer(tx, { scope, version, body, at: now, by: wave.by_whom, note });
        written.set(terminal, { version, before });
      }
      const composed = await compose(tx, known, now);
      const ids = within(known.map(({ terminal }) => terminal));
      const reports = await tx.all<{ terminal: string; body: string }>(
        `SELECT terminal, body FROM configuration_reports WHERE terminal IN (${ids.marks})`,
        ...ids.values,
      );
      const runs = new Map(reports.map(({ terminal, body }) => [terminal, runningOf(body)]));
      for (const { terminal, version } of composed) {
        const layer = written.get(terminal);
        await underWay(tx, wave, terminal, now, { version, layer });
        // It runs what the wave wants already, and will not say so again.
        if (layer === undefined && runs.get(terminal) === version)
          await tx.run(
            "UPDATE wave_terminals SET state = 'done', due_at = NULL WHERE wave = ? AND terminal = ?",
            wave.id,
            terminal,
          );
      }
      for (const terminal of written.keys()) {
        const bureau = registry.find(terminal)?.bureau ?? null;
        const text = `Configuration of terminal ${terminal} changed by the wave “${wave.title}” of ${wave.by_whom}.`;
        await audit(tx, { at: now, by: wave.by_whom, action: 'layer', terminal, bureau, text });
      }
    },

    async takeBack(tx, wave, terminals, now) {
      const taken: string[] = [];
      for (const { terminal, layer_version: version, layer_before: before } of terminals) {
        const scope = `terminal:${terminal}`;
        await tx.lock(`layer:${scope}`);
        const layer = await layerRecord(tx, scope);
        // Somebody has changed it since: what stands there now is theirs.
        if (version === null || before === null || layer?.version !== version) continue;
        const note = `Wave “${wave.title}” failed here: as before`;
        const by = wave.by_whom;
        await writeLayer(tx, { scope, version: version + 1, body: before, at: now, by, note });
        taken.push(terminal);
      }
      for (const terminal of taken) {
        const bureau = registry.find(terminal)?.bureau ?? null;
        const text = `Configuration of terminal ${terminal} put back as it was before the wave “${wave.title}”, which failed there.`;
        await audit(tx, { at: now, by: 'controller', action: 'layer', terminal, bureau, text });
      }
    },
  };
}

function underWay(
  tx: WriteTx,
  wave: WaveRecord,
  terminal: string,
  now: string,
  what: {
    readonly command?: string;
    readonly version?: number;
    readonly layer?: { readonly version: number; readonly before: string } | undefined;
  },
): Promise<number> {
  return tx.run(
    `UPDATE wave_terminals SET state = 'under-way', attempts = attempts + 1, due_at = ?, command = ?, version = ?,
       layer_version = ?, layer_before = ? WHERE wave = ? AND terminal = ?`,
    later(now, wave.timeout_seconds * 1000),
    what.command ?? null,
    what.version ?? null,
    what.layer?.version ?? null,
    what.layer?.before ?? null,
    wave.id,
    terminal,
  );
}

function failed(tx: WriteTx, wave: WaveRecord, terminal: string, reason: string): Promise<number> {
  return tx.run(
    "UPDATE wave_terminals SET state = 'failed', counted = 1, reason = ? WHERE wave = ? AND terminal = ?",
    reason.slice(0, 500),
    wave.id,
    terminal,
  );
}

/** The version that a terminal runs for good, as it said last. */
function runningOf(body: string): number | undefined {
  const { running, state } = JSON.parse(body) as { running: number; state: string };
  return state === 'current' ? running : undefined;
}
