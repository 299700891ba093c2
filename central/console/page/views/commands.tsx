import { useState } from 'preact/hooks';
import type { TerminalDetail, TerminalRow } from '#contracts/api/fleet.ts';
import type { CommandRow } from '#contracts/api/orders.ts';
import { type CommandKind, commandKinds, commands, type TerminalCommand } from '#contracts/command.ts';
import { meteredKeepAlive } from '#contracts/metered.ts';
import type { ApiFault } from '../data/api.ts';
import { useAsked, useFleet, useNow, useParts } from '../data/context.ts';
import { FaultNote } from '../parts/fault.tsx';
import { whenWords } from '../words.ts';

interface CommandsProps {
  readonly row: TerminalRow;
  readonly detail: TerminalDetail | undefined;
}

/** Those that officers notice are asked for twice. */
const noticed: readonly CommandKind[] = ['restart-agent', 'reboot', 'reader-probe', 'training-drill'];

/** What can be asked of a terminal, and what became of what was asked. */
export function Commands({ row, detail }: CommandsProps) {
  const { api } = useParts();
  const data = useFleet();
  const now = useNow(5000);
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const [reader, setReader] = useState('');
  const { answer } = useAsked<CommandRow[]>(
    `/commands?terminal=${encodeURIComponent(row.terminal)}&limit=10`,
  );
  const readers = detail?.health.readers?.map(({ id }) => id) ?? [];
  const chosen = readers.includes(reader) ? reader : (readers[0] ?? '');
  const send = async (kind: CommandKind): Promise<void> => {
    const { title, text } = commands[kind];
    if (noticed.includes(kind) && !confirm(`${title} at ${row.terminal}?\n\n${text}`)) return;
    const command: TerminalCommand = kind === 'reader-probe' ? { kind, reader: chosen } : { kind };
    const sent = await api.ask<CommandRow>(
      'POST',
      `/terminals/${encodeURIComponent(row.terminal)}/commands`,
      {
        command,
      },
    );
    setFault(sent.ok ? undefined : sent.fault);
    if (sent.ok) data.take('command', sent.value);
  };
  const asked = new Map(
    [...(answer?.ok === true ? answer.value : []), ...data.commands.values()]
      .filter((command) => command.terminal === row.terminal)
      .map((command) => [command.id, command]),
  );
  const list = [...asked.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, 10);
  const metered = (detail?.keepAliveSeconds ?? 0) >= meteredKeepAlive;
  return (
    <div class="commands no-print">
      <h3>Ask of it</h3>
      {metered && (
        <p class="small">
          This terminal is on a metered line: it listens rarely, so that commands are carried out when it can,
          or not at all.
        </p>
      )}
      {row.state !== 'online' && <p class="small">It is not online: nothing can be asked of it now.</p>}
      <div class="buttons">
        {commandKinds.map((kind) => (
          <button
            key={kind}
            type="button"
            title={commands[kind].text}
            disabled={row.state !== 'online' || (kind === 'reader-probe' && chosen === '')}
            onClick={() => void send(kind)}
          >
            {commands[kind].title}
          </button>
        ))}
        {readers.length > 1 && (
          <label>
            Reader{' '}
            <select value={chosen} onChange={(event) => setReader(event.currentTarget.value)}>
              {readers.map((id) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {fault !== undefined && <FaultNote fault={fault} />}
      <ul class="asked" aria-live="polite">
        {list.map((command) => (
          <li key={command.id}>
            <b>{commands[command.command.kind].title}</b>{' '}
            <span class={`outcome ${command.state}`}>{command.state}</span>{' '}
            <span class="small">
              {whenWords(command.at, now)} by {command.by}
              {command.detail !== '' && `: ${command.detail}`}
            </span>
            {command.command.kind === 'diagnostic-bundle' && command.state === 'done' && (
              <>
                {' '}
                <a href={`/api/v1/bundles/${command.id}`} download>
                  Fetch it
                </a>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
