import { connect } from 'node:tls';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { ms, seconds } from '#contracts/units.ts';
import { openMqttLink } from '#runtime/mqtt-link.ts';

/** As long as a session gets: a TLS handshake over a satellite takes several round trips of 600 ms. */
const patience = ms(20_000);

/** What a terminal shows to a server, and trusts it by. */
export interface TerminalTls {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Whether the broker of these settings takes a connection of this terminal.
 *
 * @param hasSession a session stands at another address, which may be the same broker: it knows a terminal by its
 *   certificate and would end that session for a new one. Then the handshake of TLS must do.
 */
export async function brokerTakes(
  { fleet, terminal }: Pick<AgentSettings, 'fleet' | 'terminal'>,
  tls: TerminalTls,
  hasSession: boolean,
): Promise<boolean> {
  if (hasSession) return greets(new URL(fleet.url), 8883, tls);
  const opened = await openMqttLink(
    {
      url: fleet.url,
      clientId: terminal,
      tls,
      keepAlive: seconds(fleet.keepAliveSeconds),
      connectTimeout: patience,
    },
    { message: () => {}, lost: () => {} },
  );
  if (!opened.ok) return false;
  // It has no will and nothing was asked of it, and a goodbye over a line that dies now would never end.
  opened.value.drop();
  return true;
}

/** Whether the lookup service of these settings takes a connection of this terminal. */
export function lookupsTaken(
  { central }: Pick<AgentSettings, 'central'>,
  tls: TerminalTls,
): Promise<boolean> {
  return greets(new URL(central.url), 443, tls);
}

/** Whether a trusted server answers there. */
function greets({ hostname, port }: URL, usualPort: number, tls: TerminalTls): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      // Brackets of an IPv6 address belong to the URL.
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? usualPort : Number(port),
      ca: tls.authority,
      cert: tls.certificate,
      key: tls.key,
      minVersion: 'TLSv1.3',
      timeout: patience,
    });
    const end = (works: boolean): void => {
      socket.destroy();
      resolve(works);
    };
    socket.once('secureConnect', () => end(socket.authorized));
    socket.once('timeout', () => end(false));
    socket.on('error', () => end(false));
  });
}
