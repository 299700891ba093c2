import { type Layer, type LayerPreview, PutLayer } from '#contracts/api/orders.ts';
import { type LayerScope, LayerValues } from '#contracts/configuration.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';
import type { Tx, WriteTx } from '../store/index.ts';
import type { OrdersParts } from './ports.ts';
import { previewChange } from './preview.ts';
import { bureauOf, covers, scopeName, scopeOf, scopeTitle } from './scope.ts';
import { inner } from './sql.ts';
import { canonical, flatten } from './values.ts';

interface LayerRecord {
  readonly scope: string;
  readonly version: number;
  readonly body: string;
  readonly at: string;
  readonly by_whom: string;
  readonly note: string;
}

export interface LayerChange {
  readonly scope: string;
  readonly version: number;
  /** JSON of `canonical` values. */
  readonly body: string;
  readonly at: string;
  readonly by: string;
  readonly note: string;
}

/** Most characters of one layer: four of them and what the offline key signed fit into one message. */
const longestLayer = 16_000;
const mostVersions = 100;

/** The layers of configuration: what stands, what was, what a change would do, and the change. */
export class LayerBook {
  readonly #parts: Pick<OrdersParts, 'db' | 'registry' | 'audit' | 'addEvent' | 'clock'>;

  constructor(parts: Pick<OrdersParts, 'db' | 'registry' | 'audit' | 'addEvent' | 'clock'>) {
    this.#parts = parts;
  }

  /** A layer as it stands; version 0 where it never was. */
  async get(scope: LayerScope): Promise<Result<Layer>> {
    const read = await this.#parts.db.read((tx) => layerRecord(tx, scopeName(scope)));
    return read.ok ? toLayer(scopeName(scope), read.value) : read;
  }

  /** All layers that were ever set, the fleet’s first: also one that sets nothing any more has a version to go on from. */
  async list(): Promise<Result<Layer[]>> {
    const read = await this.#parts.db.read((tx) =>
      tx.all<LayerRecord>('SELECT * FROM layers ORDER BY scope'),
    );
    if (!read.ok) return read;
    const order = ['fleet', 'bureau', 'site', 'terminal'];
    const layers: Layer[] = [];
    for (const record of read.value) {
      const layer = toLayer(record.scope, record);
      if (!layer.ok) return layer;
      layers.push(layer.value);
    }
    return ok(layers.toSorted((a, b) => order.indexOf(a.scope.layer) - order.indexOf(b.scope.layer)));
  }

  /** What a layer was, the newest first, at most 100 versions. */
  async history(scope: LayerScope): Promise<Result<Layer[]>> {
    const name = scopeName(scope);
    const read = await this.#parts.db.read((tx) =>
      tx.all<LayerRecord>(
        'SELECT * FROM layer_versions WHERE scope = ? ORDER BY version DESC LIMIT ?',
        name,
        mostVersions,
      ),
    );
    if (!read.ok) return read;
    const layers: Layer[] = [];
    for (const record of read.value) {
      const layer = toLayer(name, record);
      if (!layer.ok) return layer;
      layers.push(layer.value);
    }
    return ok(layers);
  }

  /** What a change would do. Faults: REQUEST_INVALID, TERMINAL_UNKNOWN, CONFLICT, those of the store. */
  async preview(given: PutLayer): Promise<Result<LayerPreview>> {
    const checked = this.#check(given);
    if (!checked.ok) return checked;
    const { name } = checked.value;
    const read = await this.#parts.db.read(async (tx) => ({
      now: await layerRecord(tx, name),
      all: await tx.all<{ scope: string; body: string }>("SELECT scope, body FROM layers WHERE body <> '{}'"),
    }));
    if (!read.ok) return read;
    const { now, all } = read.value;
    if ((now?.version ?? 0) !== given.base) return conflict(name, now, given.base);
    const terminals = this.#parts.registry.all().filter((terminal) => covers(name, terminal));
    const after = flatten(canonical(given.values));
    return ok(await previewChange(name, new Map(all.map((one) => [one.scope, one.body])), after, terminals));
  }

  /**
   * Sets a layer; empty values remove it. Faults: REQUEST_INVALID, TERMINAL_UNKNOWN, CONFLICT where it changed since
   * `base`, those of the store.
   */
  async put(given: PutLayer, by: string): Promise<Result<Layer>> {
    const checked = this.#check(given);
    if (!checked.ok) return checked;
    const { name, body } = checked.value;
    const { db, registry, audit, addEvent, clock } = this.#parts;
    const at = instant(clock.wall());
    const done = await db.transaction(async (tx): Promise<Result<Layer>> => {
      await tx.lock(`layer:${name}`);
      const now = await layerRecord(tx, name);
      if ((now?.version ?? 0) !== given.base) return conflict(name, now, given.base);
      // Nothing changes: no number is used up.
      if ((now?.body ?? '{}') === body) return toLayer(name, now);
      const version = given.base + 1;
      const change: LayerChange = { scope: name, version, body, at, by, note: given.note };
      await writeLayer(tx, change);
      const verb = body === '{}' ? 'removed' : 'changed';
      const text = `Configuration of ${scopeTitle(name)} ${verb} (change ${version}) by ${by}.`;
      const place = placeOf(name, (one) => registry.find(one));
      await addEvent(tx, { at, ...place, kind: 'configuration', text, severity: 'info' });
      const why = `${text} ${given.note}`.trim().slice(0, 1000);
      const { terminal, bureau } = place;
      await audit(tx, { at, by, action: 'layer', terminal, bureau, text: why });
      return toLayer(name, { ...change, by_whom: by });
    });
    return inner(done);
  }

  #check(given: PutLayer): Result<{ readonly name: string; readonly body: string }> {
    const parsed = parseValue(PutLayer, given, 'REQUEST_INVALID');
    if (!parsed.ok) return parsed;
    const name = scopeName(given.scope);
    const body = JSON.stringify(canonical(given.values));
    if (body.length > longestLayer)
      return fail('REQUEST_INVALID', `A layer has at most ${longestLayer} characters.`);
    // A layer of somebody who is gone can still be removed.
    if (body === '{}' || given.scope.layer === 'fleet') return ok({ name, body });
    if (this.#parts.registry.all().some((terminal) => covers(name, terminal))) return ok({ name, body });
    return given.scope.layer === 'terminal'
      ? fail('TERMINAL_UNKNOWN', `No terminal ${given.scope.key} is registered.`)
      : fail('REQUEST_INVALID', `No terminal is registered at ${scopeTitle(name)}.`);
  }
}

/** The rows of a change, with its number checked by the caller while it holds `layer:…`. */
export async function writeLayer(tx: WriteTx, change: LayerChange): Promise<void> {
  const { scope, version, body, at, by, note } = change;
  await tx.run(
    `INSERT INTO layers (scope, version, body, at, by_whom, note) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope) DO UPDATE SET version = excluded.version, body = excluded.body, at = excluded.at,
       by_whom = excluded.by_whom, note = excluded.note`,
    scope,
    version,
    body,
    at,
    by,
    note,
  );
  await tx.run(
    'INSERT INTO layer_versions (scope, version, body, at, by_whom, note) VALUES (?, ?, ?, ?, ?, ?)',
    scope,
    version,
    body,
    at,
    by,
    note,
  );
  tx.announce('layer', scope);
}

export function layerRecord(tx: Tx, scope: string): Promise<LayerRecord | undefined> {
  return tx.get<LayerRecord>('SELECT * FROM layers WHERE scope = ?', scope);
}

function toLayer(name: string, record: LayerRecord | undefined): Result<Layer> {
  const scope = scopeOf(name);
  if (record === undefined) return ok({ scope, version: 0, values: {}, at: null, by: null, note: '' });
  const values = parseJson(LayerValues, record.body, 'STORE_CORRUPT');
  if (!values.ok) return values;
  const { version, at, by_whom: by, note } = record;
  return ok({ scope, version, values: values.value, at, by, note });
}

function conflict(name: string, now: LayerRecord | undefined, base: number): Result<never> {
  return fail(
    'CONFLICT',
    now === undefined
      ? `The layer of ${scopeTitle(name)} was never set; the change is made from version ${base}.`
      : `The layer of ${scopeTitle(name)} is at version ${now.version} since ${now.at} (${now.by_whom}); the change is made from version ${base}.`,
  );
}

/** Where a change of a layer stands in the timeline and the audit. */
export function placeOf(
  name: string,
  find: (terminal: string) => RegisteredTerminal | undefined,
): { readonly terminal: string | null; readonly site: string | null; readonly bureau: string | null } {
  const scope = scopeOf(name);
  const bureau = bureauOf(name, find);
  if (scope.layer === 'terminal') return { terminal: scope.key, site: find(scope.key)?.site ?? null, bureau };
  return { terminal: null, site: scope.layer === 'site' ? scope.key : null, bureau };
}
