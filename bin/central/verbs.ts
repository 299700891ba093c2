import { backup, migrate, restore } from '#central/backup/index.ts';
import { centralSchemas } from '#central/main.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { systemClock } from '#runtime/clock.ts';
import { loadSettings } from '#runtime/settings.ts';
import type { CommandArguments, CommandContext } from '../command.ts';
import { type Act, runVerb, type Verb } from '../verbs.ts';
import { version } from '../version.ts';

const verbs = {
  backup: {
    usage: 'checkpost central backup --config FILE --out FILE [--with-files]',
    words: 0,
    required: ['config', 'out'],
    optional: ['with-files'],
  },
  restore: {
    usage: 'checkpost central restore --config FILE --from FILE [--replace] [--files DIR]',
    words: 0,
    required: ['config', 'from'],
    optional: ['replace', 'files'],
  },
  migrate: {
    usage: 'checkpost central migrate --config FILE --to postgres://…|sqlite [--replace]',
    words: 0,
    required: ['config', 'to'],
    optional: ['replace'],
  },
} as const satisfies Readonly<Record<string, Verb>>;

/** Runs `checkpost central backup`, `restore` or `migrate`; the answer is the exit code. */
export function runCentralVerb(
  args: CommandArguments,
  context: CommandContext,
  options: object,
): Promise<number> {
  return runVerb({ verbs, options, act }, args, context);
}

const act: Readonly<Record<keyof typeof verbs, Act>> = {
  async backup(args, context) {
    const config = args.text('config') ?? '';
    const settings = loadSettings(CentralSettings, config);
    if (!settings.ok) return settings;
    const done = await backup(
      {
        settings: settings.value,
        out: args.text('out') ?? '',
        ...(args.flag('with-files') && { withFiles: config }),
      },
      { clock: systemClock, release: version, signal: context.signal },
    );
    if (!done.ok) return done;
    const { file, at, rows, beside } = done.value;
    const words = [
      `${file} holds the centre as it was at ${at}: ${amount(rows)}. It was read through and is whole.`,
      'It holds personal data. What it does not hold must be kept as well:',
      ...beside.map(({ what, path }) => `  ${what}: ${path}`),
    ];
    return ok({ words: words.join('\n'), json: done.value });
  },

  async restore(args) {
    const settings = loadSettings(CentralSettings, args.text('config') ?? '');
    if (!settings.ok) return settings;
    const files = args.text('files');
    const done = await restore(
      {
        settings: settings.value,
        from: args.text('from') ?? '',
        replace: args.flag('replace'),
        ...(files !== undefined && { files }),
      },
      { clock: systemClock, schemas: centralSchemas },
    );
    if (!done.ok) return done;
    const { takenAt, release, rows, files: laid } = done.value;
    const words = [
      `The centre is as it was at ${takenAt} (release ${release}): ${amount(rows)}.`,
      ...laid.map((path) => `Laid down: ${path}`),
      'Start it; what terminals still keep since then they deliver again by themselves.',
    ];
    return ok({ words: words.join('\n'), json: done.value });
  },

  async migrate(args) {
    const settings = loadSettings(CentralSettings, args.text('config') ?? '');
    if (!settings.ok) return settings;
    const to = args.text('to') ?? '';
    const wanted = target(to);
    if (!wanted.ok) return wanted;
    const done = await migrate(
      { settings: settings.value, to, replace: args.flag('replace'), now: systemClock.wall() },
      centralSchemas,
    );
    if (!done.ok) return done;
    const words = [
      `${done.value.to} holds what ${done.value.from} holds: ${amount(done.value.rows)}.`,
      to === 'sqlite'
        ? 'Now take `store.url` out of the configuration and start the centre.'
        : 'Now set `store.url` in the configuration to this address and start the centre.',
      'The old database is unchanged; once the centre has run on the new one, it is out of date.',
    ];
    return ok({ words: words.join('\n'), json: done.value });
  },
};

function target(to: string): Result<void> {
  return to === 'sqlite' || /^postgres(ql)?:\/\//.test(to)
    ? ok(undefined)
    : fail('USAGE', '--to takes postgres://user@host/database, or sqlite.');
}

function amount(rows: Readonly<Record<string, number>>): string {
  const all = Object.values(rows);
  return `${all.reduce((sum, n) => sum + n, 0)} rows in ${all.length} tables`;
}
