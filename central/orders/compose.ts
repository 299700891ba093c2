import { createHash } from 'node:crypto';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { desiredType } from '#contracts/configuration.ts';
import { signEnvelope } from '#formats/envelope.ts';
import type { SqlValue, WriteTx } from '../store/index.ts';
import type { Signer } from './ports.ts';
import { scopeOf, scopesFor } from './scope.ts';
import { slices, within } from './sql.ts';

/** What applies to a terminal, as texts of JSON. */
interface Content {
  readonly layers: readonly { readonly scope: string; readonly body: string }[];
  readonly limits: readonly string[];
  readonly uplink: string | null;
}

/** What a terminal shall run. */
export interface Composed extends Content {
  readonly terminal: string;
  readonly version: number;
  readonly at: string;
  /** The version that the broker was given; 0 if none. */
  readonly published: number;
}

interface Row {
  readonly terminal: string;
  readonly version: number;
  readonly hash: string;
  readonly at: string;
  readonly published: number | null;
}

/**
 * Puts together what each of these terminals shall run, from what is committed or was written in this transaction, and gives it
 * a new number where its content is another one than before, or where the terminal knows a number that is higher than ours
 * (we came out of a backup). A terminal for which nothing was ever set is left out. Holds `desired` until the end of the
 * transaction, so that numbers rise with content; call it with some hundred at once.
 */
export async function compose(
  tx: WriteTx,
  terminals: readonly RegisteredTerminal[],
  now: string,
): Promise<Composed[]> {
  if (terminals.length === 0) return [];
  await tx.lock('desired');
  const contents = await contentsOf(tx, terminals);
  const ids = within(terminals.map((one) => one.terminal));
  const rows = await tx.all<Row>(
    `SELECT d.terminal, d.version, d.hash, d.at, p.version AS published FROM desired d
     LEFT JOIN desired_published p ON p.terminal = d.terminal WHERE d.terminal IN (${ids.marks})`,
    ...ids.values,
  );
  const reports = await tx.all<{ terminal: string; highest: number }>(
    `SELECT terminal, highest FROM configuration_reports WHERE terminal IN (${ids.marks})`,
    ...ids.values,
  );
  const before = new Map(rows.map((row) => [row.terminal, row]));
  const highest = new Map(reports.map((row) => [row.terminal, row.highest]));
  const composed: Composed[] = [];
  const changed: SqlValue[][] = [];
  for (const { terminal } of terminals) {
    const content = contents.get(terminal);
    if (content === undefined) continue;
    const row = before.get(terminal);
    const known = highest.get(terminal) ?? 0;
    const empty = content.layers.length === 0 && content.limits.length === 0 && content.uplink === null;
    if (empty && row === undefined && known === 0) continue;
    const hash = hashOf(content);
    const published = row?.published ?? 0;
    if (row !== undefined && row.hash === hash && row.version >= known) {
      composed.push({ terminal, ...content, version: row.version, at: row.at, published });
      continue;
    }
    const version = Math.max(row?.version ?? 0, known) + 1;
    composed.push({ terminal, ...content, version, at: now, published });
    changed.push([terminal, version, hash, now]);
    tx.announce('desired', `${terminal}=${version}`);
    tx.announce('terminal', terminal);
  }
  for (const slice of slices(changed)) {
    await tx.run(
      `INSERT INTO desired (terminal, version, hash, at) VALUES ${slice.map(() => '(?, ?, ?, ?)').join(', ')}
       ON CONFLICT (terminal) DO UPDATE SET version = excluded.version, hash = excluded.hash, at = excluded.at`,
      ...slice.flat(),
    );
  }
  return composed;
}

async function contentsOf(
  tx: WriteTx,
  terminals: readonly RegisteredTerminal[],
): Promise<Map<string, Content>> {
  const scopes = within([...new Set(terminals.flatMap(scopesFor))]);
  const ids = within(terminals.map((one) => one.terminal));
  const layers = await tx.all<{ scope: string; body: string }>(
    `SELECT scope, body FROM layers WHERE body <> '{}' AND scope IN (${scopes.marks})`,
    ...scopes.values,
  );
  const limits = await tx.all<{ scope: string; envelope: string }>(
    `SELECT scope, envelope FROM signed_limits WHERE scope IN (${scopes.marks})`,
    ...scopes.values,
  );
  const uplinks = await tx.all<{ terminal: string; envelope: string }>(
    `SELECT terminal, envelope FROM signed_uplinks WHERE terminal IN (${ids.marks})`,
    ...ids.values,
  );
  const layerOf = new Map(layers.map((one) => [one.scope, one.body]));
  const limitsOf = new Map(limits.map((one) => [one.scope, one.envelope]));
  const uplinkOf = new Map(uplinks.map((one) => [one.terminal, one.envelope]));
  return new Map(
    terminals.map((terminal) => {
      const names = scopesFor(terminal);
      const content: Content = {
        layers: names.flatMap((scope) => {
          const body = layerOf.get(scope);
          return body === undefined ? [] : [{ scope, body }];
        }),
        limits: names.flatMap((scope) => limitsOf.get(scope) ?? []),
        uplink: uplinkOf.get(terminal.terminal) ?? null,
      };
      return [terminal.terminal, content];
    }),
  );
}

function hashOf({ layers, limits, uplink }: Content): string {
  return createHash('sha256')
    .update(JSON.stringify([layers, limits, uplink]))
    .digest('hex');
}

/** Payload of topic `desired` (contracts/configuration.ts), put together from texts, since there are thousands of it. */
export function payloadOf(composed: Composed): string {
  const { terminal, version, at, layers, limits, uplink } = composed;
  const applied = layers.map(
    ({ scope, body }) => `{"scope":${JSON.stringify(scopeOf(scope))},"values":${body}}`,
  );
  return (
    `{"v":1,"terminal":${JSON.stringify(terminal)},"version":${version},"at":${JSON.stringify(at)},` +
    `"layers":[${applied.join(',')}],"limits":[${limits.join(',')}],"uplink":${uplink ?? 'null'}}`
  );
}

/** The message: signed by the online key. */
export function signedDesired(composed: Composed, signer: Signer): string {
  return JSON.stringify(signEnvelope(desiredType, Buffer.from(payloadOf(composed)), signer));
}
