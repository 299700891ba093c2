import { addAbortSignal, type Readable } from 'node:stream';
import {
  type CollectionPlace,
  describeRepositoryIn,
  openSource,
  publishEdition,
  readFingerprintKey,
  refreshTimestamp,
  type RepositorySummary,
  verifyRepository,
  writeStick,
} from '#central/publisher/index.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { instant, systemClock } from '#runtime/clock.ts';
import { authorityFiles } from '#provisioning/index.ts';
import { toError } from '#runtime/errors.ts';
import { type Command, type CommandArguments, type CommandContext } from '../command.ts';
import { readEditionKeys, readEditionsRoot, readFingerprintKeyOf } from '../edition-keys.ts';
import { ProgressBar } from '../progress.ts';
import { type Act, runVerb, type Verb } from '../verbs.ts';

const options = {
  repository: { type: 'string' },
  authority: { type: 'string' },
  csv: { type: 'string' },
  database: { type: 'string' },
  query: { type: 'string' },
  date: { type: 'string' },
  base: { type: 'boolean' },
  fewer: { type: 'boolean' },
  out: { type: 'string' },
  'passphrase-file': { type: 'string' },
} as const;

const verbs = {
  publish: {
    usage:
      'checkpost edition publish --repository DIR --authority DIR (--csv FILE | --database FILE --query SQL)',
    words: 0,
    required: ['repository', 'authority'],
    optional: ['csv', 'database', 'query', 'date', 'base', 'fewer', 'passphrase-file'],
  },
  refresh: {
    usage: 'checkpost edition refresh --repository DIR --authority DIR',
    words: 0,
    required: ['repository', 'authority'],
    optional: ['passphrase-file'],
  },
  show: {
    usage: 'checkpost edition show --repository DIR',
    words: 0,
    required: ['repository'],
    optional: [],
  },
  verify: {
    usage: 'checkpost edition verify --repository DIR --authority DIR',
    words: 0,
    required: ['repository', 'authority'],
    optional: [],
  },
  stick: {
    usage: 'checkpost edition stick --repository DIR --out DIR',
    words: 0,
    required: ['repository', 'out'],
    optional: [],
  },
} satisfies Record<string, Verb>;

export const command: Command = {
  summary: 'publish and check editions, the offline copies of a collection',
  help: `
checkpost edition: publish editions, the offline copies of a collection, in a repository that the centre serves

Usage: checkpost edition publish --repository DIR --authority DIR --csv FILE [--base] [--fewer] [--date INSTANT]
       checkpost edition publish --repository DIR --authority DIR --database FILE --query SQL
       checkpost edition refresh --repository DIR --authority DIR
       checkpost edition show    --repository DIR
       checkpost edition verify  --repository DIR --authority DIR
       checkpost edition stick   --repository DIR --out DIR

publish reads the collection (docs/collection.md has its columns), makes the next edition, what has changed since the one
before, now and then a whole base, and signs what they are; when anything is wrong, all of it is listed by row and column,
and terminals keep the edition before. refresh signs again that the edition published last is the newest: do it at least
once a week, or publish. show says what is in a repository whose signatures hold. verify reads all of it from end to end.
stick writes what a terminal needs to begin with, for a line that would take hours.

  --repository DIR         the repository; publish makes it where there is none
  --authority DIR          the bureau's authority, for its keys and its root of trust
  --csv FILE               the collection; - reads it from standard input, as from
                           psql -c "copy (select …) to stdout csv header"
  --database FILE          the collection is in this SQLite database
  --query SQL              and this statement gives its columns, called as those of the CSV
  --date INSTANT           how old the collection's knowledge is, such as 2026-11-24T06:00:00Z
                           without it: when the CSV file was last written, else now
  --base                   serve a whole base with this edition, however little has changed
  --fewer                  publish although more than a tenth of the records are gone: without it a source that was
                           cut off, such as a pipe whose other end died, is refused
  --out DIR                where the stick is
  --passphrase-file FILE   file with the passphrase of the private keys, where they have one
  --json                   print one JSON object, or {"error"}

Exit codes: 0 done, 1 it could not be done or is not sound, 2 called wrongly.

Example: checkpost edition publish --csv collection.csv --repository repository --authority authority
`,
  options,
  run: (args, context) => runVerb({ verbs, options, act }, args, context),
};

const act: Readonly<Record<keyof typeof verbs, Act>> = {
  async publish(args, context) {
    const now = systemClock.wall();
    const place = readPlace(args, context);
    if (!place.ok) return place;
    const date = readDate(args.text('date'));
    if (!date.ok) return date;
    const files = authorityFiles(text(args, 'authority'));
    const keys = await readEditionKeys(args, ['editions', 'editions-snapshot', 'editions-timestamp']);
    if (!keys.ok) return keys;
    const [targets, snapshot, timestamp] = keys.value;
    const fingerprint = await readFingerprintKey(files.fingerprint);
    if (!fingerprint.ok) return fingerprint;
    const root = await readEditionsRoot(files.editionsRoot);
    if (!root.ok) return root;
    const bar = new ProgressBar(context.stderr, () => systemClock.monotonic());
    try {
      const source = await openSource(place.value, now);
      if (!source.ok) return source;
      const { fill } = source.value;
      const { signal } = context;
      const published = await publishEdition(
        {
          repository: text(args, 'repository'),
          root: root.value,
          keys: { targets, snapshot, timestamp },
          fingerprint: fingerprint.value,
          date: date.value ?? source.value.date,
          fill: (sink, work) =>
            fill((key, record) => {
              if (signal.aborted) throw toError(stopped.fault);
              sink(key, record);
            }, work),
          newBase: args.flag('base'),
          fewer: args.flag('fewer'),
          say: ({ phase, done, total }) => bar.show(phases[phase], done, total),
        },
        now,
      );
      if (!published.ok) return signal.aborted ? stopped : published;
      const { edition, records, deltaBytes, baseBytes, baseServed } = published.value;
      const delta = deltaBytes === null ? 'no delta' : `delta ${size(deltaBytes)}`;
      const base = `base ${size(baseBytes)}${baseServed ? '' : ', not served'}`;
      return ok({
        json: published.value,
        words: `sltd edition ${edition} of ${published.value.date}: ${records} records, ${delta}, ${base}`,
      });
    } finally {
      bar.clear();
    }
  },
  async refresh(args) {
    const keys = await readEditionKeys(args, ['editions-timestamp']);
    if (!keys.ok) return keys;
    const done = await refreshTimestamp(text(args, 'repository'), keys.value[0], systemClock.wall());
    if (!done.ok) return done;
    return ok({ json: done.value, words: `The newest edition is vouched for until ${done.value.expires}.` });
  },
  async show(args) {
    const summary = await describeRepositoryIn(text(args, 'repository'));
    return summary.ok ? ok({ json: summary.value, words: describe(summary.value) }) : summary;
  },
  async verify(args) {
    const described = await describeRepositoryIn(text(args, 'repository'));
    if (!described.ok) return described;
    const secret = await readFingerprintKeyOf(described.value.fingerprintKey, text(args, 'authority'));
    if (!secret.ok) return secret;
    const summary = await verifyRepository(text(args, 'repository'), secret.value);
    if (!summary.ok) return summary;
    return ok({ json: summary.value, words: `${describe(summary.value)}\nEvery file is as it was signed.` });
  },
  async stick(args, context) {
    const bar = new ProgressBar(context.stderr, () => systemClock.monotonic());
    const out = text(args, 'out');
    try {
      const written = await writeStick(text(args, 'repository'), out, (done, total) =>
        bar.show('bytes copied', done, total),
      );
      if (!written.ok) return written;
      const { edition, bytes, expires } = written.value;
      return ok({
        json: written.value,
        words: `${out}: edition ${edition}, ${size(bytes)}; seeds terminals until ${expires}.`,
      });
    } finally {
      bar.clear();
    }
  },
};

const stopped = fail('STOPPED', 'Nothing was published.');

const phases = { read: 'records read', write: 'records written', compare: 'records compared' } as const;

function readPlace(args: CommandArguments, context: CommandContext): Result<CollectionPlace> {
  // A name that is empty is none: the shell's variable was not set.
  const [csv, file, query] = ['csv', 'database', 'query'].map((option) => args.text(option) || undefined);
  if ((csv === undefined) === (file === undefined) || (file === undefined) !== (query === undefined)) {
    return fail('USAGE', 'Say where the collection is: --csv FILE, or --database FILE with --query SQL.');
  }
  if (file !== undefined && query !== undefined) return ok({ kind: 'database', file, query });
  if (csv !== '-') return ok({ kind: 'csv', file: csv ?? '' });
  const stdin = addAbortSignal(context.signal, context.stdin as Readable);
  return ok({ kind: 'stream', chunks: stdin as AsyncIterable<Uint8Array> });
}

function readDate(given: string | undefined): Result<WallTime | undefined> {
  if (given === undefined) return ok(undefined);
  const date = Date.parse(given);
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/;
  // The 31st of February has the right form, and would be read as a day in March: younger than what is known.
  return !form.test(given) || Number.isNaN(date) || !instant(wall(date)).startsWith(given.slice(0, 16))
    ? fail('USAGE', '--date takes an instant in UTC, such as 2026-11-24T06:00:00Z.')
    : ok(wall(date));
}

function text(args: CommandArguments, option: string): string {
  return args.text(option) ?? '';
}

function describe({
  edition,
  date,
  records,
  fingerprintKey,
  bases,
  deltas,
  expires,
}: RepositorySummary): string {
  return [
    `sltd edition ${edition} of ${date}: ${records} records, fingerprint key ${fingerprintKey}`,
    `bases of ${bases.join(', ')}; deltas to ${deltas.length === 0 ? 'none' : deltas.join(', ')}`,
    ...Object.entries(expires).map(([role, until]) => `${role} expires ${until ?? 'never: there is none'}`),
  ].join('\n');
}

function size(bytes: number): string {
  if (bytes < 10_000) return `${bytes} bytes`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}
