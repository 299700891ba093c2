import { type Import, isTest, roomOf } from './imports.ts';

/** The import rules of the house, as functions, so that a test can show that each one can fail. */

/** Which rooms of the top level a room may import. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  formats: ['contracts'],
  runtime: ['contracts'],
  agent: ['contracts', 'formats', 'runtime'],
  uplink: ['contracts', 'formats', 'runtime'],
  central: ['contracts', 'formats', 'runtime'],
  provisioning: ['contracts', 'formats', 'runtime'],
  bin: ['contracts', 'formats', 'runtime', 'agent', 'uplink', 'central', 'provisioning', 'test'],
  bench: ['contracts', 'formats', 'runtime', 'agent', 'uplink', 'central', 'provisioning', 'bin', 'test'],
  test: ['contracts', 'formats', 'runtime', 'agent', 'uplink', 'central', 'provisioning', 'bin', 'bench'],
  systemd: ['contracts', 'runtime', 'bin', 'test'],
  'firmware-config': ['contracts', 'runtime', 'test'],
};

/** Which rooms inside the agent a room may know; main.ts alone knows them all. */
export const mayKnow: Readonly<Record<string, readonly string[]>> = {
  readers: [],
  documents: [],
  editions: [],
  store: [],
  audit: ['store'],
  outbox: ['store'],
  health: [],
  lookup: ['store'],
  fleet: ['outbox', 'health'],
  officer: [],
  uplink: [],
  configuration: [],
  commands: [],
};

/** Rooms whose top-level files are all public; of any other room only index.ts is. */
const shared = new Set(['contracts', 'formats', 'runtime']);
/** Rooms that are made of rooms. */
const houses = new Set(['agent', 'central']);
/** Rooms of which each process takes only its part, since what it loads stays in its memory: their rooms are public. */
const opened = new Set(['uplink']);

export function complaint(found: Import): string | undefined {
  const from = roomOf(found.from);
  const to = roomOf(found.to);
  const says = (reason: string): string => `${found.from} imports ${found.to}: ${reason}`;
  if (from === undefined) return undefined;
  if (from === 'contracts' && found.to.startsWith('node:') && !isTest(found.from)) {
    return says('contracts run in the browser too and import no node: module');
  }
  if (to === undefined) return undefined;
  if (from !== to) {
    // A test of a room may use the rigs; nothing that ships may.
    const allowed = [...(mayImport[from] ?? []), ...(isTest(found.from) ? ['test'] : [])];
    if (!allowed.includes(to)) return says(`${from} may import ${allowed.join(', ') || 'nothing of ours'}`);
  }
  return inside(found, says);
}

/** Nobody reaches past a room's index.ts, and the rooms of the agent keep apart. */
function inside(found: Import, says: (reason: string) => string): string | undefined {
  const [fromTop = '', fromRoom = ''] = found.from.split('/');
  const [toTop = '', toRoom = ''] = found.to.split('/');
  const parts = found.to.split('/');
  if (shared.has(toTop) || toTop === 'test' || toTop === 'bin' || toTop === 'bench') return undefined;
  if (houses.has(toTop)) {
    const same = fromTop === toTop && fromRoom === toRoom;
    const entry = parts.length === 2 || (parts.length === 3 && parts[2] === 'index.ts');
    if (!same && !entry) return says('only the index.ts of a room is public');
    if (toTop === 'agent' && fromTop === 'agent' && !same && fromRoom !== 'main.ts' && !isTest(found.from)) {
      const known = mayKnow[fromRoom];
      const parts = found.from.split('/').length;
      if (known === undefined && parts > 2) return says(`${fromRoom} is not a room of the agent`);
      if (parts > 2 && !known?.includes(toRoom))
        return says(`agent/${fromRoom} may know ${known?.join(', ') || 'no other room'}`);
      if (parts === 2) return says('main.ts alone knows every room');
    }
    return undefined;
  }
  const entry = parts.length === 2 || (parts.length === 3 && parts[2] === 'index.ts');
  if (fromTop !== toTop && !(opened.has(toTop) ? entry : found.to === `${toTop}/index.ts`))
    return says('only the index.ts of a room is public');
  return undefined;
}

/** A cycle of files, or undefined: imports of types count too, since they say who must be understood first. */
export function findCycle(imports: readonly Import[]): string[] | undefined {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports)
    if (roomOf(to) !== undefined) edges.set(from, [...(edges.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const cycle = walk(next, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
