import type { ParseArgsOptionsConfig } from 'node:util';
import { parseArgs } from 'node:util';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { describeFault, toFault } from '#runtime/errors.ts';

/** What a command may touch, so that a test can run it in its own process. */
export interface CommandContext {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted at SIGINT and SIGTERM: stop cleanly. */
  readonly signal: AbortSignal;
}

/** The arguments after parsing: options by name, then what stood without a name. */
export interface CommandArguments {
  text(name: string): string | undefined;
  flag(name: string): boolean;
  list(name: string): readonly string[];
  readonly rest: readonly string[];
}

/**
 * One subcommand. Exit codes are the same everywhere: 0 it is done, 1 it could not be done (the fault is on standard
 * error, or as JSON with --json), 2 it was called wrongly. A command with others says so in its help.
 */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints: usage, what it does, every option with its default, exit codes, an example. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  run(args: CommandArguments, context: CommandContext): Promise<number>;
}

/** Parses the arguments and runs the command; every fault ends as words and an exit code. */
export async function execute(
  command: Command,
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    context.stdout.write(`${command.help.trim()}\n`);
    return 0;
  }
  const args = parse(command, argv);
  if (!args.ok) return report(args.fault, context, argv.includes('--json'));
  try {
    return await command.run(args.value, context);
  } catch (thrown) {
    return report(toFault(thrown), context, argv.includes('--json'));
  }
}

/** Prints a fault for a person, or as one JSON object, and gives the exit code. */
export function report(fault: Fault, context: CommandContext, json = false): number {
  if (json)
    context.stdout.write(`${JSON.stringify({ error: { code: fault.code, detail: fault.detail } })}\n`);
  else context.stderr.write(`${describeFault(fault)}\n`);
  if (fault.code === 'INTERNAL' && fault.cause instanceof Error)
    context.stderr.write(`${fault.cause.stack}\n`);
  return fault.code === 'USAGE' ? 2 : 1;
}

function parse(command: Command, argv: readonly string[]): Result<CommandArguments> {
  try {
    const parsed = parseArgs({
      args: [...argv],
      options: { json: { type: 'boolean' }, ...command.options },
      allowPositionals: true,
      strict: true,
    });
    const values: Readonly<Record<string, unknown>> = parsed.values;
    return ok({
      text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
      flag: (name) => values[name] === true,
      list: (name) => (Array.isArray(values[name]) ? values[name].map(String) : []),
      rest: parsed.positionals,
    });
  } catch (cause) {
    return fail('USAGE', cause instanceof Error ? cause.message : String(cause));
  }
}
