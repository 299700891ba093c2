import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedDocs } from '../../bin/dev/generated-docs.ts';
import { commands } from '../../bin/commands.ts';
import { version } from '../../bin/version.ts';
import { errors } from '#contracts/errors.ts';
import { rooms, root, sources } from './imports.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const packageJson = JSON.parse(read('package.json')) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

describe('what the documents say is so', () => {
  test.each(Object.entries(generatedDocs()))('%s is what the code says (npm run docs)', (file, text) => {
    expect(read(file)).toBe(text);
  });

  test('the version is that of package.json', () => {
    expect(version).toBe(packageJson.version);
  });

  test('every dependency has its reason in the README’s table, and the table names no other', () => {
    const table = read('README.md').split('## Dependencies')[1]?.split('\n## ')[0] ?? '';
    const named = [...table.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1]),
    );
    const all = {
      ...packageJson.dependencies,
      ...packageJson.devDependencies,
      ...packageJson.optionalDependencies,
    };
    expect(new Set(named)).toEqual(new Set(Object.keys(all)));
    expect(named).toHaveLength(Object.keys(all).length);
  });

  test('every link between pages goes to a file that exists', () => {
    const pages = [
      'README.md',
      ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ];
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          try {
            readFileSync(join(root, page, '..', target));
            return false;
          } catch (thrown) {
            return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
          }
        })
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('every npm script and every subcommand that the README names exists', () => {
    const text = read('README.md');
    const scripts = [...text.matchAll(/npm run ([a-z-]+)/g)].map((match) => match[1] ?? '');
    expect(scripts.filter((name) => !(name in packageJson.scripts))).toEqual([]);
    const named = [...text.matchAll(/checkpost ([a-z]+(?:-[a-z]+)*)/g)].map((match) => match[1] ?? '');
    expect(named.filter((name) => !(name in commands))).toEqual([]);
  });

  test('every error code is used somewhere, and every one says what, meaning and remedy in whole sentences', () => {
    const text = rooms
      .filter((room) => room !== 'test')
      .flatMap(sources)
      .filter((file) => file !== 'contracts/errors.ts')
      .map(read)
      .join('\n');
    const unused = Object.keys(errors).filter((code) => !text.includes(`'${code}'`));
    expect(unused).toEqual([]);
    for (const [code, entry] of Object.entries(errors)) {
      for (const sentence of Object.values(entry)) expect(sentence, code).toMatch(/^[A-Z`].*\.$/);
    }
  });
});
