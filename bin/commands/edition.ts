import { readFile } from 'node:fs/promises';
import { describeEdition, publishEdition, verifyEdition } from '#central/publisher/index.ts';
import type { EditionDescription } from '#contracts/edition.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';

export const command: Command = {
  summary: 'make and describe editions of a collection',
  help: `
checkpost edition: make and describe editions, the offline copies of a collection

Usage: checkpost edition publish --csv FILE --key PEM --key-id ID --fingerprint FILE --out FILE [--json]
       checkpost edition show FILE --trusted FILE [--json]
       checkpost edition verify FILE --trusted FILE --fingerprint FILE [--json]

publish reads the collection from a CSV (docs/collection.md has its columns), signs its offline copy and puts it in its
place in one step; when anything is wrong, all of it is listed by row and column, and the edition that was there stays.
show prints version, date and count of an edition whose signature and content hold. verify opens it all the way, as a
terminal does, the bureau's fingerprint key included.

  --csv FILE               the collection
  --key PEM                private key that signs editions (authority: keys/editions.pem)
  --key-id ID              the id that terminals know this key by (editions-1 after checkpost authority init)
  --passphrase-file FILE   file with the passphrase of the private key, where it has one
  --fingerprint FILE       the bureau's fingerprint key (authority: keys/fingerprint.json)
  --out FILE               where the edition goes
  --trusted FILE           public keys that are trusted (authority or terminal: trusted.json)
  --json                   print what the edition says of itself, or {"error"}, as one JSON object

Exit codes: 0 done, 1 the edition is not sound or could not be made, 2 called wrongly.

Example: checkpost edition publish --csv collection.csv --key authority/keys/editions.pem --key-id editions-1 \\
           --fingerprint authority/keys/fingerprint.json --out sltd.edition
`,
  options: {
    csv: { type: 'string' },
    key: { type: 'string' },
    'key-id': { type: 'string' },
    'passphrase-file': { type: 'string' },
    fingerprint: { type: 'string' },
    out: { type: 'string' },
    trusted: { type: 'string' },
  },
  async run(args, context) {
    const json = args.flag('json');
    const done = await act(args);
    if (!done.ok) return report(done.fault, context, json);
    print(done.value, context, json);
    return 0;
  },
};

async function act(args: CommandArguments): Promise<Result<EditionDescription>> {
  const [verb, file, ...more] = args.rest;
  if (verb === 'publish' && file === undefined) return publish(args);
  if (file === undefined || more.length > 0) return usage();
  const trust = args.text('trusted');
  const fingerprint = args.text('fingerprint');
  if (verb === 'show') return trust === undefined ? missing('trusted') : describeEdition(file, trust);
  if (verb !== 'verify') return usage();
  if (trust === undefined) return missing('trusted');
  if (fingerprint === undefined) return missing('fingerprint');
  return verifyEdition(file, { trust, fingerprint });
}

async function publish(args: CommandArguments): Promise<Result<EditionDescription>> {
  const csv = args.text('csv');
  const key = args.text('key');
  const keyId = args.text('key-id');
  const fingerprint = args.text('fingerprint');
  const out = args.text('out');
  if (csv === undefined) return missing('csv');
  if (key === undefined) return missing('key');
  if (keyId === undefined) return missing('key-id');
  if (fingerprint === undefined) return missing('fingerprint');
  if (out === undefined) return missing('out');
  const passphrase = await readPassphrase(args.text('passphrase-file'));
  if (!passphrase.ok) return passphrase;
  return publishEdition({ csv, key, keyId, fingerprint, out, ...passphrase.value }, systemClock.wall());
}

/** A passphrase is never an argument, which every user of the machine can see: it stands in a file, on its first line. */
async function readPassphrase(file: string | undefined): Promise<Result<{ passphrase?: string }>> {
  if (file === undefined) return ok({});
  try {
    return ok({ passphrase: (await readFile(file, 'utf8')).split(/\r?\n/)[0] ?? '' });
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

function usage() {
  return fail('USAGE', 'Say: checkpost edition publish, show FILE or verify FILE, with their options.');
}

function missing(option: string) {
  return fail('USAGE', `--${option} is missing.`);
}

function print(description: EditionDescription, context: CommandContext, json: boolean): void {
  if (json) {
    context.stdout.write(`${JSON.stringify(description)}\n`);
    return;
  }
  const { collection, version, date, count, bytes, fingerprintKey, signedBy } = description;
  context.stdout.write(
    `${collection} version ${version} of ${date}: ${count} records in ${bytes} bytes, ` +
      `fingerprint key ${fingerprintKey}, signed by ${signedBy}\n`,
  );
}
