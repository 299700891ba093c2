import Type, { type Static } from 'typebox';
import { BureauCode } from '../names.ts';
import { choice, group, integer, text } from './setting.ts';

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
export const alerts = group(
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
export const notifications = group(
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
