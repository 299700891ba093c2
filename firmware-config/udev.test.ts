import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

// Debian 12's udevadm has no `verify` yet, so the grammar of udev(7) is checked here: every pair of every line.

const file = join(import.meta.dirname, 'udev/70-checkpost-readers.rules');
const text = readFileSync(file, 'utf8');

const matches = /^(ACTION|KERNEL|SUBSYSTEM|SUBSYSTEMS|ATTRS\{[\w/]+\}|ENV\{\w+\})(==|!=)"[^"]*"$/;
const assigns =
  /^(GROUP="[\w-]+"|MODE="0[0-7]{3}"|SYMLINK\+="[^"]+"|ENV\{\w+\}="[^"]*"|IMPORT\{builtin\}="(?:usb_id|path_id)"|GOTO="\w+"|LABEL="\w+")$/;

/** What is wrong with a file of rules, by line. */
function complaints(rules: string): string[] {
  const found: string[] = [];
  const labels = new Set([...rules.matchAll(/LABEL="(\w+)"/g)].map((match) => match[1]));
  for (const [index, line] of rules.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    for (const pair of line.split(/,\s*(?=[A-Z])/)) {
      if (!matches.test(pair) && !assigns.test(pair)) found.push(`line ${index + 1}: ${pair}`);
      const target = /^GOTO="(\w+)"$/.exec(pair)?.[1];
      if (target !== undefined && !labels.has(target)) found.push(`line ${index + 1}: no label ${target}`);
    }
  }
  return found;
}

describe('The rules for readers', () => {
  test('Every pair of every line is one that udev knows, and every jump has its label', () => {
    expect(complaints(text)).toEqual([]);
  });

  test.each([
    ['a single equals sign where a match is meant', text.replace('SUBSYSTEM=="tty"', 'SUBSYSTEM="tty"')],
    ['a missing quote', text.replace('MODE="0660"', 'MODE="0660')],
    ['an unknown key', text.replace('GROUP=', 'GRUOP=')],
    ['a jump to nowhere', text.replace('LABEL="checkpost_readers_end"', 'LABEL="end"')],
  ])('%s is caught', (_name, broken) => {
    expect(broken).not.toBe(text);
    expect(complaints(broken)).not.toEqual([]);
  });

  test('A reader gets our own group, a name by serial number and a name by port, and modem management keeps off it', () => {
    expect(text).toMatch(/GROUP="checkpost-reader", MODE="0660"/);
    expect(text).toContain('$env{ID_SERIAL_SHORT}');
    expect(text).toContain('by-path/$env{ID_PATH}');
    expect(text).toContain('ENV{ID_MM_DEVICE_IGNORE}="1"');
  });
});
