import Type, { type Static } from 'typebox';
import { alerts, notifications } from './alerting.ts';
import { operatorsPage } from './console.ts';
import { listener } from './listener.ts';
import { choice, group, integer, path, text } from './setting.ts';

/** The configuration of `checkpost central`: lookup service, controller and console in one process. */
export const CentralSettings = Type.Object(
  {
    state: path({ description: 'Folder of the databases' }),
    registry: path({ description: 'Registry of terminals, as the authority writes it' }),
    moreRegistries: Type.Array(path({ description: 'A registry' }), {
      maxItems: 250,
      description:
        'Registries of other bureaus, each written by its own authority; their certificates belong into `tls.authority` too',
      default: [],
    }),
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
    bundles: group(
      {
        budgetBytes: integer(
          { minimum: 10_000_000, maximum: 1_000_000_000_000 },
          {
            description:
              'Space for diagnostic bundles of terminals in the folder of the databases; the oldest make room for new ones',
            unit: 'B',
            default: 1_000_000_000,
          },
        ),
      },
      { description: 'Diagnostic bundles', default: {} },
    ),
    store: group(
      {
        url: Type.Optional(
          text(
            { pattern: '^postgres(ql)?://', maxLength: 2048 },
            {
              description:
                'PostgreSQL: `postgres://user@host/database`, or `postgres://user@localhost/database?host=/folder` for a Unix socket. Without it a SQLite file in the folder of the databases is used, and there can be one controller only',
            },
          ),
        ),
      },
      { description: 'Database of the centre', default: {} },
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
        keepAliveSeconds: integer(
          { minimum: 1, maximum: 600 },
          {
            description: 'A broker that is silent for half as long again is given up',
            unit: 's',
            default: 15,
          },
        ),
        messagesPerSecond: integer(
          { minimum: 1, maximum: 10_000 },
          {
            description:
              'What a terminal may say without end, on average; it may save up 30 seconds of it. What is beyond is refused',
            unit: 'messages/s',
            default: 10,
          },
        ),
        timelineDays: integer(
          { minimum: 1, maximum: 3650 },
          {
            description:
              'So long the time line is kept, and what became of commands, waves and former configurations',
            unit: 'days',
            default: 400,
          },
        ),
      },
      { description: 'Fleet controller' },
    ),
    orders: group(
      {
        key: path({
          description:
            'Private key that configuration and commands are signed with, PEM: `keys/commands.pem` of the authority',
        }),
        keyId: text(
          { maxLength: 64 },
          { description: 'Id of that key, as terminals know it', default: 'commands-1' },
        ),
        trusted: path({
          description: 'Public keys that what is uploaded is checked with: `trusted.json` of the authority',
        }),
      },
      { description: 'Configuration and commands' },
    ),
    staleSeconds: integer(
      { minimum: 60, maximum: 31_536_000 },
      {
        description:
          'Older than this, the collection and the newest edition are an alarm of the centre; terminals have a limit of their own',
        unit: 's',
        default: 172_800,
      },
    ),
    console: operatorsPage,
    alerts,
    notifications,
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
