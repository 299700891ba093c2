import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, rooms, root, shelves, sources } from './imports.ts';
import { complaint, findCycle, mayKnow } from './rules.ts';

const all = [...rooms, ...shelves].flatMap((room) => sources(room).flatMap((file) => importsOf(file)));

describe('the house', () => {
  test('every import goes where its room may import', () => {
    expect(all.map(complaint).filter((text) => text !== undefined)).toEqual([]);
  });

  test('there are no cycles', () => {
    expect(findCycle(all)).toBeUndefined();
  });

  test('every file that is imported exists', () => {
    const missing = all.filter(({ to }) => /\.(ts|tsx)$/.test(to) && !existsSync(join(root, to)));
    expect(missing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('every room of the agent is known to the rules', () => {
    const found = readdirSync(join(root, 'agent'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(found.map((entry) => entry.name).sort()).toEqual(Object.keys(mayKnow).sort());
  });

  test('every folder of the top level is one of the design', () => {
    const known = [...rooms, ...shelves, 'docs', 'dist', 'node_modules'];
    const found = readdirSync(root, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
    );
    expect(found.map((entry) => entry.name).filter((name) => !known.includes(name))).toEqual([]);
  });

  test('every package that is imported is one of package.json, and what ships needs no development package', () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const named = all
      .filter(({ to }) => !to.includes('/') || to.startsWith('@'))
      .filter(({ to }) => !to.startsWith('node:') && !/\.tsx?$/.test(to));
    const unknown = named.filter(({ to }) => !(to in dependencies) && !(to in devDependencies));
    expect(unknown.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    const development = named.filter(({ from, to, typeOnly }) => {
      const ships =
        !/^(test|bench|bin\/dev)\//.test(from) && !/\.test\.tsx?$/.test(from) && !from.includes('/page/');
      return ships && !typeOnly && !(to in dependencies);
    });
    expect(development.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});

describe('the rules can fail', () => {
  const broken = (from: string, text: string): string[] =>
    importsOf(from, text)
      .map(complaint)
      .filter((found) => found !== undefined);

  test.each([
    ['contracts/x.ts', "import { readFileSync } from 'node:fs';", 'no node: module'],
    ['contracts/x.ts', "import type { Log } from '#runtime/log.ts';", 'nothing of ours'],
    ['formats/x.ts', "import { Backoff } from '../runtime/backoff.ts';", 'formats may import'],
    ['agent/main.ts', "const x = await import('#central/main.ts');", 'agent may import'],
    ['central/main.ts', "export { openReader } from '#agent/readers/index.ts';", 'central may import'],
    ['agent/main.ts', "import { framing } from './readers/framing.ts';", 'only the index.ts'],
    ['bin/commands/agent.ts', "import { x } from '#agent/store/store.ts';", 'only the index.ts'],
    ['bin/uplink/run.ts', "import { x } from '#uplink/inner/inner.ts';", 'only the index.ts'],
    [
      'agent/readers/x.ts',
      "import type {\n  Reading,\n} from '../documents/index.ts';",
      'may know no other room',
    ],
    ['agent/audit/x.ts', "import type { Outbox } from '#agent/outbox/index.ts';", 'may know store'],
    ['agent/lookup/x.ts', "import { startPty } from '#test/rigs/serial-reader.ts';", 'agent may import'],
  ])('%s with %s is refused', (from, text, reason) => {
    expect(broken(from, text)).toEqual([expect.stringContaining(reason)]);
  });

  test('a cycle over three files is found', () => {
    const edge = (from: string, to: string) => ({
      from: `agent/${from}.ts`,
      to: `agent/${to}.ts`,
      typeOnly: true,
    });
    expect(findCycle([edge('a', 'b'), edge('b', 'c')])).toBeUndefined();
    expect(findCycle([edge('a', 'b'), edge('b', 'c'), edge('c', 'a')])).toHaveLength(4);
  });
});
