import { userInfo } from 'node:os';
import {
  initAuthority,
  issueServer,
  leastPassphrase,
  needsPassphrase,
  revoke,
  rotateFingerprint,
  signLimits,
  signRequest,
  writeBroker,
} from '#provisioning/index.ts';
import { describeRepositoryIn } from '#central/publisher/index.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Command, type CommandArguments, type CommandContext } from '../command.ts';
import { networkActs, networkOptions, networkVerbs } from './authority-network.ts';
import { passphraseHelp, passphraseOptions, readPassphrase } from '../secrets.ts';
import { type Act, machineParts as parts, readNumber, runVerb, type Verb } from '../verbs.ts';

const options = {
  dir: { type: 'string' },
  bureau: { type: 'string' },
  'no-passphrase': { type: 'boolean' },
  'central-url': { type: 'string' },
  'fleet-url': { type: 'string' },
  name: { type: 'string' },
  dns: { type: 'string', multiple: true },
  ip: { type: 'string', multiple: true },
  out: { type: 'string' },
  at: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  controller: { type: 'string', multiple: true },
  user: { type: 'string' },
  code: { type: 'string' },
  repository: { type: 'string' },
  again: { type: 'boolean' },
  scope: { type: 'string' },
  'max-age-hours': { type: 'string' },
  'cache-minutes': { type: 'string' },
  ...networkOptions,
  ...passphraseOptions,
} as const;

const secret = Object.keys(passphraseOptions);
const verbs = {
  init: {
    usage: 'checkpost authority init --dir DIR --bureau CODE',
    words: 0,
    required: ['dir', 'bureau'],
    optional: ['no-passphrase', 'central-url', 'fleet-url', ...secret],
  },
  server: {
    usage: 'checkpost authority server --dir DIR --name NAME --dns HOST --out DIR',
    words: 0,
    required: ['dir', 'name', 'out'],
    optional: ['dns', 'ip', ...secret],
  },
  broker: {
    usage: 'checkpost authority broker --dir DIR --out DIR',
    words: 0,
    required: ['dir', 'out'],
    optional: ['dns', 'ip', 'at', 'host', 'port', 'controller', 'user', ...secret],
  },
  sign: {
    usage: 'checkpost authority sign REQUEST --dir DIR',
    words: 1,
    required: ['dir'],
    optional: ['out', 'code', ...secret],
  },
  revoke: {
    usage: 'checkpost authority revoke TERMINAL --dir DIR',
    words: 1,
    required: ['dir'],
    optional: secret,
  },
  'rotate-fingerprint': {
    usage: 'checkpost authority rotate-fingerprint --dir DIR --repository DIR',
    words: 0,
    required: ['dir', 'repository'],
    optional: ['again', ...secret],
  },
  limits: {
    usage: 'checkpost authority limits --dir DIR --scope SCOPE --out FILE',
    words: 0,
    required: ['dir', 'scope', 'out'],
    optional: ['max-age-hours', 'cache-minutes', ...secret],
  },
  ...networkVerbs,
} satisfies Record<string, Verb>;

export const command: Command = {
  summary: 'keys and certificates of a fleet',
  help: `
checkpost authority: the keys and certificates of a bureau's fleet

Usage: checkpost authority init   --dir DIR --bureau CODE [--no-passphrase] [--central-url URL] [--fleet-url URL]
       checkpost authority server --dir DIR --name NAME --out DIR [--dns HOST]... [--ip ADDRESS]...
       checkpost authority broker --dir DIR --out DIR [--host ADDRESS] [--port N] [--controller NAME]... [--user NAME]
                                  [--dns HOST]... [--ip ADDRESS]... [--at DIR]
       checkpost authority sign   REQUEST --dir DIR [--out DIR] [--code CODE]
       checkpost authority revoke TERMINAL --dir DIR
       checkpost authority rotate-fingerprint --dir DIR --repository DIR [--again]
       checkpost authority limits --dir DIR --scope SCOPE --out FILE [--max-age-hours N] [--cache-minutes N]
       checkpost authority network --dir DIR [--file FILE [--dry-run]]
       checkpost authority urls   --dir DIR [--central-url URL] [--fleet-url URL] [--enrolment-url URL]

init makes an authority: root and issuing certificates, signing keys (one for each use), the bureau's secrets. Keep the
folder on a machine without a network, and a copy of it elsewhere: whoever has it can enrol terminals.
server makes authority.pem, certificate.pem and key.pem for a server of the centre; again, it keeps what is still good.
broker makes all that Mosquitto needs: mosquitto.conf, access rules, certificate, revocation list. Run it again after a
revocation, bring the files to the broker and restart it.
sign answers the request of a terminal (a file, or the folder that it lies in) and enters the terminal in registry.json.
revoke shuts a terminal out: registry.json and revoked.pem say so from then on.
rotate-fingerprint makes the next key that editions are made with, and hands it out: keys/TERMINAL.json in the repository
holds it, wrapped to that terminal. The next edition is a whole base, which every terminal fetches. Interrupted, the same
command goes on; run again after its end, it makes one more key.
limits signs how old an edition and a remembered answer may be and still be believed. The file is given to the centre, which
passes it on; a later file for the same scope takes its place. What is left out is not limited by it (docs/configuration.md).
network sets the address plan of the bureau and its hubs out of a JSON file (docs/provisioning.md), or shows them.
urls sets where bundles say that the centre is, or shows it. Both hold for bundles that are made from then on.

  --dir DIR                folder of the authority
  --bureau CODE            init: ISO 3166-1 alpha-3 code of the bureau
  --no-passphrase          init: leave the private keys unencrypted. Whoever can read the folder then has them: for
                           demonstrations, and for a folder on an encrypted disk that is locked away
  --central-url URL        init, urls: lookup service (https://...) that bundles name unless they say otherwise
  --fleet-url URL          init, urls: broker (mqtts://...), likewise
  --enrolment-url URL      urls: enrolment service (https://...), where there is one
  --file FILE              network: what to set
  --dry-run                network: only say what is wrong with the file, and what it would set
  --name NAME              server: what the server is called, for example central or controller
  --dns HOST, --ip ADDRESS server, broker: what it is reached by (broker: localhost and 127.0.0.1 where left out)
  --out DIR                where the files are written (sign: where the request lies; limits: the file itself)
  --at DIR                 broker: the folder where the broker will find the files (where left out: --out)
  --host ADDRESS           broker: address that it listens on (default 127.0.0.1)
  --port N                 broker: port that it listens on (default 8883)
  --controller NAME        broker: name in the controller's certificate (default controller); once for each, where
                           several share the work: each needs a certificate of its own
  --user NAME              broker: system user that it runs as (default: who runs this command)
  --repository DIR         rotate-fingerprint: the repository of the bureau's editions
  --again                  rotate-fingerprint: make no key, but hand out the present one again, where its files were lost
  --scope SCOPE            limits: fleet, bureau:UTO, site:UTO-0001 or terminal:UTO-0001-1; the narrowest wins
  --max-age-hours N        limits: age of an edition or an answer after which it gives no no-record
  --cache-minutes N        limits: how long an answer of the centre is believed again while it is out of reach
  --code CODE              sign: also check that the request was made for the bundle with this enrolment code${passphraseHelp}
  --json                   print what was done, or {"error"}, as one JSON object

Exit codes: 0 done, 1 could not be done, 2 called wrongly.

Example: checkpost authority init --dir authority --bureau UTO --passphrase-file /run/secret/passphrase
`,
  options,
  run: (args, context) => runVerb({ verbs, options, act }, args, context),
};

const act: Readonly<Record<keyof typeof verbs, Act>> = {
  ...networkActs,

  async init(args, context) {
    const clear = args.flag('no-passphrase');
    if (clear && secret.some((option) => args.text(option) !== undefined)) {
      return fail('USAGE', 'Give a passphrase or --no-passphrase, not both.');
    }
    const passphrase: Result<string | null> = clear ? ok(null) : await readPassphrase(args, context);
    if (!passphrase.ok) return passphrase;
    const dir = args.text('dir') ?? '';
    const made = await initAuthority(
      {
        dir,
        bureau: args.text('bureau') ?? '',
        passphrase: passphrase.value,
        centralUrl: args.text('central-url'),
        fleetUrl: args.text('fleet-url'),
      },
      parts,
    );
    if (!made.ok) return made;
    const warning = clear
      ? 'Its private keys are NOT encrypted: whoever can read the folder has them.'
      : `Its private keys open with the passphrase (at least ${leastPassphrase} characters); without it they are lost.`;
    return ok({
      words: `The authority is in ${made.value.dir}.\n${warning}\nKeep a copy of the folder elsewhere.`,
      json: made.value,
    });
  },

  async server(args, context) {
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const made = await issueServer(
      { ...at.value, name: args.text('name') ?? '', ...namesOf(args), out: args.text('out') ?? '' },
      parts,
    );
    if (!made.ok) return made;
    const { kept, authority, certificate, key } = made.value;
    return ok({
      words: `${kept ? 'Kept, they are still good' : 'Written'}:\n  ${authority}\n  ${certificate}\n  ${key} (secret)`,
      json: made.value,
    });
  },

  async broker(args, context) {
    const port = readNumber(args, 'port');
    if (!port.ok) return port;
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const names = namesOf(args);
    const given = args.list('controller');
    const reached =
      names.dns.length + names.ip.length > 0 ? names : { dns: ['localhost'], ip: ['127.0.0.1'] };
    const made = await writeBroker(
      {
        ...at.value,
        ...reached,
        out: args.text('out') ?? '',
        at: args.text('at'),
        host: args.text('host') ?? '127.0.0.1',
        port: port.value ?? 8883,
        controllers: given.length > 0 ? given : ['controller'],
        user: args.text('user') ?? userInfo().username,
      },
      parts,
    );
    if (!made.ok) return made;
    return ok({
      words: `Written. Start the broker with: mosquitto -c ${made.value.config}`,
      json: made.value,
    });
  },

  async sign(args, context) {
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const signed = await signRequest(
      { ...at.value, request: args.rest[1] ?? '', out: args.text('out'), code: args.text('code') },
      parts,
    );
    if (!signed.ok) return signed;
    const { terminal, answer, repeated } = signed.value;
    return ok({
      words: `${terminal} is entered${repeated ? ' already, this is the same answer again' : ''}. Bring it: ${answer}`,
      json: signed.value,
    });
  },

  async revoke(args, context) {
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const revoked = await revoke({ ...at.value, terminal: args.rest[1] ?? '' }, parts);
    if (!revoked.ok) return revoked;
    const { terminal, revokedAt, openBundles } = revoked.value;
    const words = [
      `${terminal} is revoked since ${revokedAt}; ${openBundles} unused bundles of it are void.`,
      'Now bring registry.json to the centre, run `checkpost authority broker` again, and restart the broker with its',
      'files: a session that is open now ends only then.',
    ];
    return ok({ words: words.join('\n'), json: revoked.value });
  },

  async 'rotate-fingerprint'(args, context) {
    const repository = args.text('repository') ?? '';
    const published = await describeRepositoryIn(repository);
    if (!published.ok) return published;
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const again = args.flag('again');
    const { fingerprintKey: publishedWith } = published.value;
    const rotated = await rotateFingerprint({ ...at.value, repository, publishedWith, again }, parts);
    if (!rotated.ok) return rotated;
    const { key, continued, given, without } = rotated.value;
    const words = [
      `Fingerprint key ${key} is the present one${continued ? ', begun by a command that was interrupted' : ''}.`,
      `${given.length} terminals find it in ${repository}/keys: bring that folder to the centre before the next edition.`,
      ...(without.length === 0
        ? []
        : [
            'Enrolled by an older release and to be enrolled again before the next edition, or they keep the one that they',
            `have and it grows older: ${without.join(', ')}`,
          ]),
      ...(publishedWith === key
        ? []
        : ['The next `checkpost edition publish` makes a whole base with it, which every terminal fetches.']),
    ];
    return ok({ words: words.join('\n'), json: rotated.value });
  },

  async limits(args, context) {
    const hours = readNumber(args, 'max-age-hours');
    if (!hours.ok) return hours;
    const minutes = readNumber(args, 'cache-minutes');
    if (!minutes.ok) return minutes;
    const at = await authorityAt(args, context);
    if (!at.ok) return at;
    const signed = await signLimits({
      ...at.value,
      scope: args.text('scope') ?? '',
      editionMaxAgeSeconds: hours.value && hours.value * 3600,
      cacheMaxAgeSeconds: minutes.value && minutes.value * 60,
      out: args.text('out') ?? '',
    });
    if (!signed.ok) return signed;
    const { scope, version, file } = signed.value;
    return ok({
      words: `Version ${version} of the limits for ${scope} is in ${file}. Give it to the centre.`,
      json: signed.value,
    });
  },
};

/** The authority's folder, and its passphrase where its keys need one. */
async function authorityAt(
  args: CommandArguments,
  context: CommandContext,
): Promise<Result<{ dir: string; passphrase?: string }>> {
  const dir = args.text('dir') ?? '';
  if (!needsPassphrase(dir)) return ok({ dir });
  const passphrase = await readPassphrase(args, context);
  return passphrase.ok ? ok({ dir, passphrase: passphrase.value }) : passphrase;
}

function namesOf(args: CommandArguments): { dns: readonly string[]; ip: readonly string[] } {
  return { dns: args.list('dns'), ip: args.list('ip') };
}
