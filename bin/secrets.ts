import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';
import type { CommandArguments, CommandContext } from './command.ts';

/** How a passphrase comes in: never as an argument, which every user of the machine can see. */
export const passphraseOptions = {
  'passphrase-env': { type: 'string' },
  'passphrase-file': { type: 'string' },
} as const;

export const passphraseHelp = `
  --passphrase-env NAME    take the passphrase from this environment variable
  --passphrase-file FILE   take it from the first line of this file
                           without either it is asked for and not shown`;

/** The passphrase from where the options say, or asked for. */
export async function readPassphrase(
  args: CommandArguments,
  context: CommandContext,
): Promise<Result<string>> {
  const variable = args.text('passphrase-env');
  const file = args.text('passphrase-file');
  if (variable !== undefined && file !== undefined) {
    return fail('USAGE', 'Give --passphrase-env or --passphrase-file, not both.');
  }
  if (variable !== undefined) {
    const value = context.env[variable];
    return value ? ok(value) : fail('USAGE', `The environment variable ${variable} is not set.`);
  }
  if (file === undefined) return askSecret('Passphrase of the authority: ', context);
  try {
    const line = readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
    return line === '' ? fail('FILE_REFUSED', `${file}: its first line is empty.`) : ok(line);
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'it cannot be read'}.`, cause);
  }
}

/** Asks for one line on standard input; at a keyboard it is not shown. USAGE where there is none. */
export async function askSecret(question: string, context: CommandContext): Promise<Result<string>> {
  const input = context.stdin as NodeJS.ReadableStream & { isTTY?: boolean };
  const terminal = input.isTTY === true;
  if (terminal) context.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal });
  const typed = await new Promise<string | undefined>((resolve) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => resolve(undefined));
    context.signal.addEventListener('abort', () => lines.close(), { once: true });
  });
  lines.close();
  if (terminal) context.stderr.write('\n');
  const answer = typed?.trim() ?? '';
  return answer === '' ? fail('USAGE', 'Nothing was typed.') : ok(answer);
}
