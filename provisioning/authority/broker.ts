import { join, resolve } from 'node:path';
import { everyTerminal, terminalReads, terminalWrites, topic } from '#contracts/topics.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { makeFolder, readText, writeChanged } from '../files.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { withAuthority } from './open.ts';
import { issueServerWith } from './server.ts';

export interface BrokerOrder extends AuthorityAt {
  readonly out: string;
  /** Where the broker will find these files; `out` where left out. */
  readonly at?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Names that terminals reach the broker by. */
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  /** Common names of the controllers' certificates: one for each instance, since a name is a session at the broker. */
  readonly controllers: readonly string[];
  /** System user that the broker runs as when root starts it. */
  readonly user: string;
}

/** How many terminals one broker is made ready for. */
const terminals = 10_000;
/** A batch of what is owed is up to 32 KiB unpacked, mostly a few KiB as it is sent. */
const queuedBytes = 268_435_456;
const inFlight = 1000;

export interface BrokerFiles {
  readonly config: string;
  readonly acl: string;
  readonly revoked: string;
}

/**
 * Everything that Mosquitto needs: its configuration, its access rules, its certificate and the revocation list. Run
 * again it brings them up to date, which is how a revocation reaches the broker (then SIGHUP).
 */
export function writeBroker(order: BrokerOrder, parts: Parts): Promise<Result<BrokerFiles>> {
  return withAuthority(order, async (authority) => {
    const wrong = complaint(order);
    if (wrong !== undefined) return fail('USAGE', wrong);
    const { dns, ip, out } = order;
    const issued = await issueServerWith(authority, { name: 'broker', dns, ip, out }, parts);
    if (!issued.ok) return issued;
    makeFolder(out);
    const at = resolve(order.at ?? out);
    const files = { config: 'mosquitto.conf', acl: 'access-rules', revoked: 'revoked.pem' };
    writeChanged(join(out, files.revoked), readText(authority.files.revoked));
    writeChanged(join(out, files.acl), accessRules(order.controllers));
    writeChanged(join(out, files.config), configuration(order, at, files));
    return ok({
      config: resolve(out, files.config),
      acl: resolve(out, files.acl),
      revoked: resolve(out, files.revoked),
    });
  });
}

function complaint(order: BrokerOrder): string | undefined {
  if (!Number.isInteger(order.port) || order.port < 1 || order.port > 65_535)
    return '--port takes a port from 1 to 65535.';
  const { controllers } = order;
  if (controllers.length === 0 || !controllers.every((name) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(name))) {
    return '--controller takes the name of a server’s certificate: lower-case letters, digits and hyphens.';
  }
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(order.user)) return '--user takes the name of a system user.';
  if (new Set(controllers).size < controllers.length) return '--controller names one twice.';
  const words = [order.host, order.at ?? order.out];
  return words.some((word) => /[\r\n]/.test(word)) ? 'A path or address has a line end in it.' : undefined;
}

/**
 * Each terminal writes and reads its own topics by their direction; each controller the other way round, for all. `%u` is
 * the common name of the certificate, which Mosquitto puts in. It checks a shared subscription by its filter, without
 * `$share` and the name of the share.
 */
export function accessRules(controllers: readonly string[]): string {
  const lines = [
    '# A terminal, by the name in its certificate: its own topics only, each in its own direction.',
    ...terminalWrites.map((channel) => `pattern write ${topic('%u', channel)}`),
    ...terminalReads.map((channel) => `pattern read ${topic('%u', channel)}`),
    ...controllers.flatMap((name) => [
      '',
      `user ${name}`,
      ...terminalWrites.map((channel) => `topic read ${everyTerminal(channel)}`),
      ...terminalReads.map((channel) => `topic write ${everyTerminal(channel)}`),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function configuration(
  order: BrokerOrder,
  at: string,
  files: { readonly acl: string; readonly revoked: string },
): string {
  return `# Mosquitto for Checkpost, made by \`checkpost authority broker\`.
user ${order.user}
allow_anonymous false
acl_file ${join(at, files.acl)}
# Nothing that matters is kept here: what is owed counts as delivered only when the controller has acknowledged it, and
# every session begins by saying how the terminal is.
persistence false
# Sized for ${terminals.toLocaleString('en')} terminals: what they all say in a minute, and again what is owed when they come back at once, waits
# for controllers that are busy or just being restarted. What does not fit is dropped here, and sent again from there.
max_queued_messages ${terminals * 4}
max_queued_bytes ${queuedBytes}
# So many wait for a controller's commit at once; a controller says itself how many it takes.
max_inflight_messages ${inFlight}
persistent_client_expiration 14d
log_dest stderr
log_type error
log_type warning
log_type notice

listener ${order.port} ${order.host}
tls_version tlsv1.3
cafile ${join(at, 'authority.pem')}
certfile ${join(at, 'certificate.pem')}
keyfile ${join(at, 'key.pem')}
crlfile ${join(at, files.revoked)}
require_certificate true
# Who somebody is comes from the certificate alone, the session's name too: nobody can take over another's session.
use_identity_as_username true
use_username_as_clientid true
max_packet_size 1048576
set_tcp_nodelay true
`;
}
