import Type, { type Static } from 'typebox';
import { BureauCode } from '../names.ts';
import { choice, group, integer, path, text } from './setting.ts';

const listener = (what: string, port: number) => ({
  host: text({ maxLength: 255 }, { description: `Address that ${what} is served on`, default: '127.0.0.1' }),
  port: integer(
    { minimum: 0, maximum: 65_535 },
    { description: `Port of ${what}; 0 takes a free one`, default: port },
  ),
});

const ChannelName = text(
  { pattern: '^[a-z0-9][a-z0-9-]{0,31}$' },
  { description: 'Name of the channel, for example duty' },
);
const channelNames = (description: string) =>
  Type.Array(ChannelName, { minItems: 1, maxItems: 16, description });
const severity = (description: string, fallback: 'warning' | 'error') =>
  choice(['warning', 'error'], { description, default: fallback });
const mailAddress = (description: string) =>
  text(
    { pattern: '^[^\\s@<>,;"]{1,64}@[^\\s@<>,;"]{1,255}$', maxLength: 254 },
    { description, words: 'an address of e-mail' },
  );

/** Paths in a choice are not resolved from the folder of the file: they are given whole. */
const wholePath = (description: string) =>
  text({ pattern: '^/', maxLength: 4096 }, { description, words: 'an absolute path' });

const emailChannel = group(
  {
    name: ChannelName,
    kind: Type.Literal('email'),
    host: text({ maxLength: 255 }, { description: 'Mail server' }),
    port: integer({ minimum: 1, maximum: 65_535 }, { description: 'Port of the mail server', default: 587 }),
    tls: choice(['starttls', 'implicit', 'none'], {
      description:
        'starttls: refuses to go on without; implicit: TLS from the first byte (port 465); none: only to this machine itself',
      default: 'starttls',
    }),
    authority: Type.Optional(
      wholePath('Certificates that the mail server is trusted by, PEM; else those of the system'),
    ),
    user: Type.Optional(text({ maxLength: 255 }, { description: 'Account at the mail server' })),
    passwordFile: Type.Optional(wholePath('File that holds the password of the account')),
    from: mailAddress('Sender'),
    to: Type.Array(mailAddress('Recipient'), { minItems: 1, maxItems: 32, description: 'Recipients' }),
  },
  { description: 'Mail' },
);
const webhookChannel = group(
  {
    name: ChannelName,
    kind: Type.Literal('webhook'),
    url: text(
      {
        pattern:
          '^(https://[A-Za-z0-9.:\\[\\]-]+|http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]{1,5})?)(/[!-~]*)?$',
        maxLength: 2048,
      },
      {
        description: 'Address that is posted to; redirects are not followed',
        words: 'an https address without a password in it; http only to this machine itself',
      },
    ),
    authority: Type.Optional(
      wholePath('Certificates that the server is trusted by, PEM; else those of the system'),
    ),
    secretFile: wholePath('File that holds the secret of the signature, at least 16 characters'),
  },
  { description: 'Webhook' },
);

/** What becomes an alert, and when. */
const alerts = group(
  {
    offlineSeconds: integer(
      { minimum: 0, maximum: 86_400 },
      { description: 'So long a terminal is silent before it is an alert', unit: 's', default: 300 },
    ),
    meteredOfflineSeconds: integer(
      { minimum: 0, maximum: 86_400 },
      { description: 'The same for terminals in the metered profile', unit: 's', default: 900 },
    ),
    returnSeconds: integer(
      { minimum: 0, maximum: 86_400 },
      {
        description: 'What comes back within this time is the same alert, and nobody is told again',
        unit: 's',
        default: 600,
      },
    ),
    flappingTimes: integer(
      { minimum: 2, maximum: 60 },
      { description: 'What comes back so often within an hour is flapping, which is told once', default: 5 },
    ),
    warningDelaySeconds: integer(
      { minimum: 0, maximum: 86_400 },
      { description: 'So long a warning stands before anybody is told', unit: 's', default: 300 },
    ),
    errorDelaySeconds: integer(
      { minimum: 0, maximum: 86_400 },
      { description: 'So long an error stands before anybody is told', unit: 's', default: 60 },
    ),
    outageSites: integer(
      { minimum: 2, maximum: 100_000 },
      {
        description: 'So many sites that go offline within a minute are one alert of the centre, at least',
        default: 5,
      },
    ),
    outagePercent: integer(
      { minimum: 1, maximum: 100 },
      { description: 'and at least this part of the sites that were online', unit: '%', default: 20 },
    ),
    keepDays: integer(
      { minimum: 1, maximum: 3650 },
      { description: 'So long closed alerts are kept', unit: 'days', default: 365 },
    ),
  },
  { description: 'Alerts', default: {} },
);
export type AlertSettings = Static<typeof alerts>;

/** Who is told of alerts, and how. */
const notifications = group(
  {
    channels: Type.Array(Type.Union([emailChannel, webhookChannel]), {
      maxItems: 32,
      description: 'Ways to tell people of alerts; without one nobody is told',
      default: [],
    }),
    rules: Type.Array(
      group(
        {
          severity: severity('Least severity that is told', 'warning'),
          bureau: Type.Optional(BureauCode),
          to: channelNames('Channels that are told'),
        },
        { description: 'Who is told when an alert opens' },
      ),
      {
        maxItems: 256,
        description:
          'Who is told of what: every rule that fits counts; one with `bureau` is for that bureau’s sites alone. Without a rule every channel is told of everything',
        default: [],
      },
    ),
    escalation: Type.Array(
      group(
        {
          afterMinutes: integer(
            { minimum: 1, maximum: 10_080 },
            { description: 'Minutes after the alert was told first', unit: 'min' },
          ),
          severity: severity('Least severity that takes this step', 'error'),
          to: channelNames('Channels that are told'),
        },
        { description: 'A step' },
      ),
      {
        maxItems: 16,
        description:
          'Who else is told of an alert that stands and that nobody acknowledged, in order of time',
        default: [],
      },
    ),
    giveUpHours: integer(
      { minimum: 1, maximum: 720 },
      { description: 'So long an undelivered message is tried again', unit: 'h', default: 24 },
    ),
  },
  { description: 'Notifications', default: {} },
);
export type NotificationSettings = Static<typeof notifications>;
export type EmailChannel = Static<typeof emailChannel>;
export type WebhookChannel = Static<typeof webhookChannel>;

const claim = (description: string, fallback: string) =>
  text({ maxLength: 128 }, { description, default: fallback });

/** Where operators come in, and how it is known who they are. */
const operatorsPage = group(
  {
    ...listener('the operators’ page', 8600),
    tls: Type.Optional(
      group(
        {
          certificate: path({ description: 'Certificate of the operators’ page, PEM' }),
          key: path({ description: 'Its private key, PEM' }),
        },
        { description: 'HTTPS; without this group it is HTTP, for this machine or a proxy in front' },
      ),
    ),
    publicUrl: Type.Optional(
      text(
        { pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$', maxLength: 255 },
        {
          description:
            'Address that browsers reach the page by, where it is another one, for example behind a proxy',
          words: 'http or https, a name or an address, without a path',
        },
      ),
    ),
    access: choice(['accounts', 'open'], {
      description:
        'accounts: people sign in; open: everybody is administrator, only on an address of this machine itself',
      default: 'accounts',
    }),
    idleMinutes: integer(
      { minimum: 5, maximum: 10_080 },
      { description: 'A session without an open page ends after so long', unit: 'min', default: 720 },
    ),
    sessionHours: integer(
      { minimum: 1, maximum: 720 },
      { description: 'Every session ends after so long', unit: 'h', default: 168 },
    ),
    openIdConnect: Type.Optional(
      group(
        {
          issuer: text(
            { pattern: '^https?://', maxLength: 1024 },
            { description: 'Address of the provider; http only on this machine itself' },
          ),
          clientId: text({ maxLength: 255 }, { description: 'Name of this centre at the provider' }),
          clientSecretFile: Type.Optional(
            path({
              description: 'File that holds the secret of the client; without it the client is public',
            }),
          ),
          title: claim('What the button says', 'Single sign-on'),
          scope: claim('What is asked of the provider', 'openid profile email'),
          nameClaim: claim('Claim with the name of the account', 'preferred_username'),
          roleClaim: claim(
            'Claim with the role: viewer, operator or administrator, or a list, of which the highest counts',
            'checkpost_role',
          ),
          bureauClaim: claim(
            'Claim with the code of the bureau, or * for all; without it nobody comes in',
            'checkpost_bureau',
          ),
          tokenDays: integer(
            { minimum: 1, maximum: 3650 },
            {
              description:
                'A token that somebody made is in force until so long after they signed in last: that they are gone only the provider knows',
              unit: 'days',
              default: 90,
            },
          ),
        },
        {
          description: 'Sign in with OpenID Connect; needs `publicUrl` where the page is not on this machine',
        },
      ),
    ),
  },
  { description: 'Operators’ page, API and metrics', default: {} },
);
export type ConsoleSettings = Static<typeof operatorsPage>;

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
