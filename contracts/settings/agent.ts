import Type, { type Static } from 'typebox';
import { BureauCode, ReaderId, SiteId, TerminalId } from '../names.ts';
import { devicePattern, Feedback, ProfileName, ReaderProfile } from '../readers.ts';
import { choice, flag, group, integer, path, text } from './setting.ts';

/** The configuration of `checkpost agent`. Written by enrolment; an engineer may edit it. */
export const AgentSettings = Type.Object(
  {
    terminal: Type.String({ ...TerminalId, description: 'Id of this terminal, as in its certificate' }),
    bureau: Type.String({ ...BureauCode, description: 'Bureau that owns the site: ISO 3166-1 alpha-3 code' }),
    site: Type.String({ ...SiteId, description: 'Site where this terminal stands' }),
    state: path({ description: 'Folder of the database and of what the terminal keeps' }),
    demo: flag({ description: 'Marks every page as a demonstration', default: false }),
    readers: Type.Array(
      group(
        {
          id: Type.String({ ...ReaderId, description: 'Name of this reader on the pages and in the record' }),
          device: text(
            { pattern: devicePattern, maxLength: 256 },
            {
              description: 'The device by its stable identity, as `checkpost readers` prints it',
              words: 'usb:VENDOR:PRODUCT:SERIAL, usb:VENDOR:PRODUCT@PORT, or a path that begins with a slash',
            },
          ),
          profile: Type.String({
            ...ProfileName,
            description: 'Its profile: one that ships (`checkpost readers profiles`) or one of `profiles`',
            default: 'swipe',
          }),
          baudRate: Type.Optional(
            integer(
              { minimum: 300, maximum: 921_600 },
              { description: 'Speed of the line, in place of that of the profile', unit: 'baud' },
            ),
          ),
          idleMillis: Type.Optional(
            integer(
              { minimum: 20, maximum: 5000 },
              {
                description:
                  'Silence after which a frame without an end is taken as complete, in place of that of the profile',
                unit: 'ms',
              },
            ),
          ),
          feedback: Feedback,
          replacement: choice(['accept', 'refuse'], {
            description:
              'Whether another device of the same model may take the place of one that is gone; said on the page when it does',
            default: 'accept',
          }),
        },
        { description: 'One passport reader' },
      ),
      { maxItems: 16, description: 'Passport readers of this terminal', default: [] },
    ),
    profiles: Type.Array(ReaderProfile, {
      maxItems: 32,
      description:
        'Reader profiles of this site, each as `checkpost readers probe` prints it; one with the name of a shipped one replaces it',
      default: [],
    }),
    tls: group(
      {
        authority: path({ description: 'Certificates of the authority that the centre is trusted by, PEM' }),
        certificate: path({ description: 'Certificate of this terminal, PEM' }),
        key: path({ description: 'Private key of this terminal, PEM' }),
      },
      { description: 'Mutual TLS with the centre' },
    ),
    keys: path({ description: 'Folder of the keys made and unwrapped at enrolment' }),
    central: group(
      {
        url: text({ pattern: '^https://' }, { description: 'Lookup service of the centre' }),
        deadlineMillis: integer(
          { minimum: 100, maximum: 10_000 },
          {
            description: 'How long the centre may take before the edition answers',
            unit: 'ms',
            default: 1500,
          },
        ),
        probeMillis: integer(
          { minimum: 200, maximum: 600_000 },
          {
            description: 'How often the kept connection is tried while nothing is asked',
            unit: 'ms',
            default: 30_000,
          },
        ),
        retryMillis: integer(
          { minimum: 100, maximum: 60_000 },
          {
            description:
              'First pause before a broken connection is tried again; it doubles up to 30 s, with jitter',
            unit: 'ms',
            default: 1000,
          },
        ),
      },
      { description: 'Lookups at the centre' },
    ),
    fleet: group(
      {
        url: text({ pattern: '^mqtts://' }, { description: 'Message broker of the centre' }),
        keepAliveSeconds: integer(
          { minimum: 5, maximum: 3600 },
          {
            description:
              'MQTT keep-alive; from 600 on the line counts as metered: health is sampled every ten minutes and sent whole every six hours at most, a newer edition is asked for every twelve hours, and the lookup service is tried once a day while nothing is asked',
            unit: 's',
            default: 30,
          },
        ),
        retryMillis: integer(
          { minimum: 100, maximum: 60_000 },
          {
            description:
              'First pause before a broken session is begun again; it doubles up to 60 s, with jitter',
            unit: 'ms',
            default: 1000,
          },
        ),
        spreadSeconds: integer(
          { minimum: 0, maximum: 3600 },
          {
            description:
              'When the broker ended a long session, the next one is begun at a random moment within this time, so that a whole fleet does not come back at once',
            unit: 's',
            default: 30,
          },
        ),
        resendMillis: integer(
          { minimum: 200, maximum: 600_000 },
          {
            description:
              'How long a batch waits for the acknowledgement of the controller before it is sent again',
            unit: 'ms',
            default: 10_000,
          },
        ),
        sampleMillis: integer(
          { minimum: 500, maximum: 600_000 },
          { description: 'How often health is measured; only changes are sent', unit: 'ms', default: 15_000 },
        ),
        fullSeconds: integer(
          { minimum: 10, maximum: 86_400 },
          { description: 'How often a full health report is sent', unit: 's', default: 3600 },
        ),
      },
      { description: 'Session with the fleet controller' },
    ),
    outbox: group(
      {
        megabytes: integer(
          { minimum: 1, maximum: 4096 },
          {
            description:
              'Space for what is owed to the centre; above it history of the time without a link is thinned, then events; hits and heads of the record are kept whatever it takes',
            unit: 'MB',
            default: 64,
          },
        ),
      },
      { description: 'What is owed to the centre', default: {} },
    ),
    edition: group(
      {
        folder: path({ description: 'Folder of the offline copy; the terminal alone writes there' }),
        seed: Type.Optional(
          path({
            description:
              'Folder where a copy of the repository of editions appears, such as a stick; taken from there at once',
          }),
        ),
        pollSeconds: integer(
          { minimum: 5, maximum: 86_400 },
          {
            description: 'How often the centre is asked for a newer edition while the link is up',
            unit: 's',
            default: 300,
          },
        ),
        bytesPerSecond: integer(
          { minimum: 0, maximum: 1_000_000_000 },
          {
            description: 'How much of the line a download may take; 0 takes what there is',
            unit: 'B/s',
            default: 0,
          },
        ),
        compactPercent: integer(
          { minimum: 1, maximum: 50 },
          {
            description:
              'Changes since the base, as a share of its records, at which a new base is made of them',
            unit: '%',
            default: 2,
          },
        ),
        compactDays: integer(
          { minimum: 1, maximum: 365 },
          { description: 'Age of the base at which a new one is made', unit: 'days', default: 30 },
        ),
      },
      { description: 'Offline copy' },
    ),
    policy: group(
      {
        editionMaxAgeSeconds: integer(
          { minimum: 60, maximum: 31_536_000 },
          {
            description: 'Older than this, an edition or a central answer gives no `no-record`',
            unit: 's',
            default: 172_800,
          },
        ),
        editionWarnAgeSeconds: integer(
          { minimum: 60, maximum: 31_536_000 },
          {
            description: 'Older than this, an edition is still believed, but officer and centre are warned',
            unit: 's',
            default: 129_600,
          },
        ),
        cacheMaxAgeSeconds: integer(
          { minimum: 0, maximum: 86_400 },
          {
            description: 'How long an answer of the centre is believed again while it is out of reach',
            unit: 's',
            default: 600,
          },
        ),
        repeatMillis: integer(
          { minimum: 0, maximum: 60_000 },
          {
            description: 'Frames of the same document within this time are one lookup',
            unit: 'ms',
            default: 3000,
          },
        ),
      },
      { description: 'Policy of the bureau', default: {} },
    ),
    officer: group(
      {
        host: text(
          { maxLength: 255 },
          { description: 'Address that the officer’s page is served on', default: '127.0.0.1' },
        ),
        port: integer(
          { minimum: 0, maximum: 65_535 },
          { description: 'Port of the officer’s page; 0 takes a free one', default: 8700 },
        ),
      },
      { description: 'Officer’s page', default: {} },
    ),
    audit: group(
      {
        headEvery: integer(
          { minimum: 1, maximum: 100_000 },
          {
            description: 'After this many entries the head of the audit chain is owed to the centre',
            default: 100,
          },
        ),
        reserveBytes: integer(
          { minimum: 0, maximum: 1_073_741_824 },
          {
            description: 'Space kept for the record, given up when the disk is full',
            unit: 'B',
            default: 16_777_216,
          },
        ),
      },
      { description: 'Tamper-evident record', default: {} },
    ),
    uplink: group(
      {
        socket: Type.Union(
          [
            Type.Null(),
            text({ pattern: '^/', maxLength: 107 }, { description: 'Unix socket, by its absolute path' }),
          ],
          {
            description:
              'Control socket of the uplink, whose state is reported to the centre; null where this machine has no uplink of ours',
            words: 'an absolute path, or null',
            default: null,
          },
        ),
      },
      { description: 'Helper of the uplink', default: {} },
    ),
    configuration: group(
      {
        probationSeconds: integer(
          { minimum: 10, maximum: 86_400 },
          {
            description:
              'How long a configuration of the centre may fail where the one before would have worked, before that one is brought back',
            unit: 's',
            default: 300,
          },
        ),
      },
      { description: 'Configuration that the centre sends', default: {} },
    ),
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
  { additionalProperties: false, description: 'Configuration of the terminal’s agent' },
);
export type AgentSettings = Static<typeof AgentSettings>;
