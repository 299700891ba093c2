import { readFileSync } from 'node:fs';
import { createSecretKey } from 'node:crypto';
import { wall } from '#contracts/units.ts';
import { openTerminal, stickOf } from '../rigs/edition-terminal.ts';

/**
 * The process that test/prove/edition-kills.ts kills: `edition-child.ts TERMINAL REPOSITORY ROOT SECRET NOW` renews the
 * offline copy and says on standard output how far it is.
 */
const [terminal = '', repository = '', root = '', secret = '', now = ''] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const editions = await openTerminal(
  terminal,
  {
    root: readFileSync(root),
    secret: { id: '1', key: createSecretKey(Buffer.from(secret, 'hex')) },
  },
  {
    now: () => wall(Number(now)),
    report: (event) => {
      if (event.kind === 'edition-in-use') say(`in-use ${event.edition}`);
    },
  },
);
say('begin');
await editions.renew(stickOf(repository, terminal));
say('end');
await editions.close();
