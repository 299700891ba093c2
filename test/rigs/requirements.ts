import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Requirements {
  /** What is left out where it cannot run, in words for the last lines of `npm test`. */
  readonly test?: string;
  readonly root?: boolean;
  /** Programs by name, looked for on the path and in the folders of root's programs. */
  readonly tools?: readonly string[];
}

/** What the answer depends on, so that a test of this file can choose it. */
export interface Machine {
  readonly uid: number | undefined;
  readonly path: string;
  /** File that is told what was left out; undefined where nobody asked. */
  readonly leftOut: string | undefined;
}

/**
 * Why a test cannot run on this machine, or undefined where it can. Whatever is left out is also told to `npm test`,
 * one line each, so that it is never left out in silence.
 */
export function requires(
  { test = 'a test', root = false, tools = [] }: Requirements,
  machine: Machine = thisMachine(),
): string | undefined {
  const missing = tools.filter((tool) => !isInstalled(tool, machine.path));
  const reasons = [
    ...(root && machine.uid !== 0 ? ['needs root'] : []),
    ...(missing.length > 0 ? [`needs ${missing.join(', ')}`] : []),
  ];
  if (reasons.length === 0) return undefined;
  const reason = reasons.join(' and ');
  if (machine.leftOut !== undefined) appendFileSync(machine.leftOut, `${test}: ${reason}\n`);
  return reason;
}

function thisMachine(): Machine {
  return {
    uid: process.getuid?.(),
    path: process.env['PATH'] ?? '',
    leftOut: process.env['CHECKPOST_LEFT_OUT'],
  };
}

function isInstalled(tool: string, path: string): boolean {
  return [...path.split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
