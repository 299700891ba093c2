import type { Result } from '#contracts/result.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, report } from '../command.ts';
import { pagesFolder } from '../places.ts';
import { untilStopped } from '../until-stopped.ts';
import { version } from '../version.ts';

const options = {
  config: { type: 'string' },
  'check-config': { type: 'boolean' },
  out: { type: 'string' },
  'with-files': { type: 'boolean' },
  from: { type: 'string' },
  files: { type: 'string' },
  to: { type: 'string' },
  replace: { type: 'boolean' },
} as const;
/** Options of the centre itself; the others are those of its verbs. */
const own = new Set(['config', 'check-config']);

export const command: Command = {
  summary: 'run the centre: lookups, controller, console',
  help: `
checkpost central: run the centre that terminals report to

Usage: checkpost central --config FILE [--check-config] [--json]
       checkpost central backup --config FILE --out FILE [--with-files] [--json]
       checkpost central restore --config FILE --from FILE [--replace] [--files DIR] [--json]
       checkpost central migrate --config FILE --to postgres://...|sqlite [--replace] [--json]

One process with three parts:
  lookup service   answers the terminals' questions from the collection, HTTPS with mutual TLS
  controller       keeps the state of every terminal and the hits that they send, through the message broker
  operators' page  shows both, live; /metrics on the same port is for Prometheus

The broker is a process of its own (Mosquitto; \`checkpost authority broker\` writes its configuration). While it is out
of reach, lookups are answered all the same, and the terminals keep what they owe until it is back.

backup     writes all that the database holds into one file, while the centre runs; docs/backup.md says what else to keep
restore    makes the database what a backup holds; no centre may run on it
migrate    copies the database from SQLite to PostgreSQL or back; no centre may run on either (docs/scaling.md)

Runs until SIGTERM or Ctrl-C. Its log is JSON lines on standard output; the line with "event":"ready" says where the
operators' page and the lookup service are.

  --config FILE     configuration, usually /etc/checkpost/central.json; docs/settings.md explains every setting
  --check-config    only check the configuration: every wrong setting is listed at once
  --out FILE        backup: the file that is written; one that stands there is replaced once the new one is whole
  --with-files      backup: put this configuration and the registry into it as well, never a private key
  --from FILE       restore: the backup
  --files DIR       restore: lay down the files that were put into it here, where there are none of their names yet
  --to ADDRESS      migrate: postgres://user@host/database, or sqlite for the file in the folder of the databases
  --replace         restore, migrate: give up what the database holds now
  --json            print faults, and the result of --check-config, as one JSON object

Exit codes: 0 stopped in order (or done, or the configuration is good), 1 could not start or could not be done, 2 called
wrongly.

Example: checkpost central --config /etc/checkpost/central.json --check-config
         checkpost central backup --config /etc/checkpost/central.json --out /var/backups/checkpost.gz
`,
  options,
  async run(args, context) {
    const json = args.flag('json');
    const config = args.text('config');
    if (args.rest.length > 0) {
      const { runCentralVerb } = await import('../central/verbs.ts');
      return runCentralVerb(args, context, options);
    }
    const foreign = Object.keys(options).filter(
      (name) => !own.has(name) && (args.flag(name) || args.text(name) !== undefined),
    );
    if (config === undefined || foreign.length > 0) {
      return report({ code: 'USAGE', detail: 'Say: checkpost central --config FILE' }, context, json);
    }
    const settings: Result<CentralSettings> = loadSettings(CentralSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    if (args.flag('check-config')) {
      context.stdout.write(json ? '{"ok":true}\n' : `${config}: every setting is good\n`);
      return 0;
    }
    // Loaded only now: checking a configuration needs none of it.
    const { startCentral } = await import('#central/main.ts');
    const log = createLog(settings.value.log.level, 'central');
    const central = await startCentral(settings.value, {
      clock: systemClock,
      random: Math.random,
      log,
      version,
      pageDir: pagesFolder('console'),
    });
    if (!central.ok) return report(central.fault, context, json);
    const { consoleUrl, lookupUrl } = central.value;
    context.stdout.write(
      `${JSON.stringify({ event: 'ready', console: consoleUrl, lookup: lookupUrl, pid: process.pid })}\n`,
    );
    await untilStopped(context.signal);
    log.info('Stopping');
    await central.value.close();
    return 0;
  },
};
