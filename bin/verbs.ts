import { randomFillSync } from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { type CommandArguments, type CommandContext, report } from './command.ts';

/** What provisioning needs from this machine. */
export const machineParts = {
  clock: systemClock,
  random: (bytes: Uint8Array): Uint8Array => randomFillSync(bytes),
} as const;

/** A verb of a command: how many words follow it, and which options it takes. */
export interface Verb {
  readonly usage: string;
  readonly words: number;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The verb that was called, if all that it was given is what it takes; an option of another verb is refused. */
export function readVerb<Name extends string>(
  verbs: Readonly<Record<Name, Verb>>,
  all: Iterable<string>,
  args: CommandArguments,
): Result<Name> {
  const name = args.rest[0] as Name | undefined;
  if (name === undefined || !Object.hasOwn(verbs, name)) {
    return fail('USAGE', `Say what to do: ${Object.keys(verbs).join(', ')}.`);
  }
  const verb = verbs[name];
  const given = (option: string): boolean =>
    args.text(option) !== undefined || args.flag(option) || args.list(option).length > 0;
  const missing = verb.required.filter((option) => !given(option));
  const taken = new Set([...verb.required, ...verb.optional, 'json']);
  const foreign = [...all].filter((option) => !taken.has(option) && given(option));
  if (missing.length > 0 || foreign.length > 0 || args.rest.length !== verb.words + 1) {
    const why = [
      ...missing.map((option) => `--${option} is missing`),
      ...foreign.map((option) => `${name} takes no --${option}`),
    ];
    return fail('USAGE', `Say: ${verb.usage}${why.length === 0 ? '' : ` (${why.join('; ')})`}`);
  }
  return ok(name);
}

/** A whole number out of an option, or undefined where it was not given. */
export function readNumber(args: CommandArguments, option: string): Result<number | undefined> {
  const text = args.text(option);
  if (text === undefined) return ok(undefined);
  const value = Number(text);
  return text.trim() === '' || !Number.isFinite(value)
    ? fail('USAGE', `--${option} takes a number, not ${text}.`)
    : ok(value);
}

/** A whole number from `least` to `most` out of an option, or undefined where it was not given. */
export function readWhole(
  args: CommandArguments,
  option: string,
  least: number,
  most: number,
): Result<number | undefined> {
  const given = readNumber(args, option);
  if (!given.ok || given.value === undefined) return given;
  const { value } = given;
  if (Number.isInteger(value) && value >= least && value <= most) return given;
  return fail('USAGE', `--${option} takes a whole number from ${least} to ${most}, not ${value}.`);
}

/** What a verb did: for a machine, and in words. */
export interface Done {
  readonly json: unknown;
  readonly words: string;
}

export type Act = (args: CommandArguments, context: CommandContext) => Promise<Result<Done>>;

/** Runs the verb that was called, and says what it did or why it did not; the answer is the exit code. */
export async function runVerb<Name extends string>(
  {
    verbs,
    options,
    act,
  }: {
    readonly verbs: Readonly<Record<Name, Verb>>;
    readonly options: object;
    readonly act: Readonly<Record<Name, Act>>;
  },
  args: CommandArguments,
  context: CommandContext,
): Promise<number> {
  const json = args.flag('json');
  const verb = readVerb(verbs, Object.keys(options), args);
  if (!verb.ok) return report(verb.fault, context, json);
  const done = await act[verb.value](args, context);
  if (!done.ok) return report(done.fault, context, json);
  context.stdout.write(json ? `${JSON.stringify(done.value.json)}\n` : `${done.value.words}\n`);
  return 0;
}
