import fc from 'fast-check';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { editionsPath } from '#contracts/edition-target.ts';
import { repositoryPath } from './repository-path.ts';

const hash = 'a'.repeat(64);

describe('the address of a file of the repository', () => {
  test.each([
    'metadata/timestamp.json',
    'metadata/12.targets.json',
    'keys/UTO-0001-1.json',
    `targets/sltd/12/${hash}.base.fingerprints`,
    `targets/${hash}.x`,
  ])('%s is that file', (path) => {
    expect(repositoryPath(`${editionsPath}${path}`)).toBe(path);
  });

  test.each([
    ['the folder itself', ''],
    ['a folder of it', 'metadata'],
    ['a folder with its slash', 'metadata/'],
    ['a folder below metadata', 'metadata/old/1.root.json'],
    ['another folder', 'secrets/root.pem'],
    ['a private key among the wrapped keys', 'keys/editions.pem'],
    ['a folder below the wrapped keys', 'keys/old/UTO-0001-1.json'],
    ['a terminal of 64 letters', `keys/${'x'.repeat(64)}.json`],
    ['dots in the name of a terminal', 'keys/UTO..1.json'],
    ['a file beside the folders', 'lock'],
    ['dot-segments', '../registry.json'],
    ['dot-segments after a folder', 'targets/../../registry.json'],
    ['a single dot', 'targets/./x'],
    ['escaped dots', 'targets/%2e%2e/%2e%2e/registry.json'],
    ['an escaped slash', 'targets/..%2fregistry.json'],
    ['a backslash', 'targets/..\\registry.json'],
    ['NUL', 'metadata/root.json\0'],
    ['an escaped NUL', 'metadata/root.json%00'],
    ['an empty segment', 'targets//etc/passwd'],
    ['a file that is being written', 'metadata/.timestamp.json.7.new'],
    ['a question', 'metadata/timestamp.json?x=1'],
    ['a letter beyond ASCII', 'metadata/r\u00f6ot.json'],
    ['a name of 256 letters', `metadata/${'x'.repeat(256)}`],
    ['a path of thousands of letters', `targets/${'x/'.repeat(2000)}x`],
    ['a line feed', 'metadata/root.json\n'],
  ])('with %s is none', (_, path) => {
    expect(repositoryPath(`${editionsPath}${path}`)).toBeUndefined();
  });

  test('never leaves the repository, whatever is asked', () => {
    const pieces = fc.constantFrom('..', '.', '/', '%2e', 'targets', 'metadata', 'x', '\\', '\0', '~', ':');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const path = repositoryPath(editionsPath + parts.join(''));
        if (path !== undefined) expect(relative('/r', join('/r', path))).toBe(path);
      }),
    );
  });
});
