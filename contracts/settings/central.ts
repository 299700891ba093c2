import Type, { type Static } from 'typebox';
import { choice, group, integer, path, text } from './setting.ts';

const listener = (what: string, port: number) => ({
  host: text({ maxLength: 255 }, { description: `Address that ${what} is served on`, default: '127.0.0.1' }),
  port: integer(
    { minimum: 0, maximum: 65_535 },
    { description: `Port of ${what}; 0 takes a free one`, default: port },
  ),
});

/** The configuration of `checkpost central`: lookup service, controller and console in one process. */
export const CentralSettings = Type.Object(
  {
    state: path({ description: 'Folder of the databases' }),
    registry: path({ description: 'Registry of terminals, as the authority writes it' }),
    tls: group(
      {
        authority: path({ description: 'Certificates of the authority that terminals are trusted by, PEM' }),
        certificate: path({ description: 'Certificate of the lookup service, PEM' }),
        key: path({ description: 'Private key of the lookup service, PEM' }),
      },
      { description: 'Mutual TLS with the terminals' },
    ),
    lookup: group(
      {
        ...listener('the lookup service', 8443),
        collection: path({
          description: 'CSV of the collection; loaded into the database when it has changed',
        }),
      },
      { description: 'Lookup service' },
    ),
    editions: Type.Optional(
      group(
        {
          repository: path({
            description:
              'Folder of the repository of editions, as `checkpost edition` makes it; served on the port of the lookup service. Without this group no editions are served',
          }),
        },
        { description: 'Editions for terminals' },
      ),
    ),
    controller: group(
      {
        url: text({ pattern: '^mqtts://' }, { description: 'Message broker' }),
        certificate: path({ description: 'Certificate of the controller at the broker, PEM' }),
        key: path({ description: 'Private key of the controller at the broker, PEM' }),
        retryMillis: integer(
          { minimum: 100, maximum: 60_000 },
          {
            description:
              'First pause before a broken session is begun again; it doubles up to 30 s, with jitter',
            unit: 'ms',
            default: 1000,
          },
        ),
      },
      { description: 'Fleet controller' },
    ),
    console: group(listener('the operators’ page', 8600), {
      description: 'Operators’ page and metrics',
      default: {},
    }),
    log: group(
      {
        level: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
          description: 'Least severity that is logged',
          default: 'info',
        }),
      },
      { description: 'Log', default: {} },
    ),
  },
  { additionalProperties: false, description: 'Configuration of the centre' },
);
export type CentralSettings = Static<typeof CentralSettings>;
