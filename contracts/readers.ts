import Type, { type Static } from 'typebox';
import { choice, flag, group, integer, text } from './settings/setting.ts';

/**
 * A reader profile: all that is particular about a model of reader, as data. A new swipe reader needs a profile and no
 * code. The built-in ones are `agent/readers/profiles.ts`; a site adds its own under `profiles` of the agent's settings.
 */

/** Bytes as pairs of hexadecimal digits, so that control characters can be written down. */
const bytes = (description: string) =>
  text(
    { pattern: '^([0-9A-Fa-f]{2}){1,256}$' },
    { description, words: 'bytes as pairs of hexadecimal digits' },
  );

export const SerialLinkProfile = Type.Object(
  {
    kind: Type.Literal('serial'),
    baudRate: integer(
      { minimum: 300, maximum: 921_600 },
      { description: 'Speed of the line', unit: 'baud', default: 9600 },
    ),
    dataBits: Type.Union([Type.Literal(7), Type.Literal(8)], { description: 'Data bits', default: 8 }),
    parity: choice(['none', 'even', 'odd'], { description: 'Parity', default: 'none' }),
    stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { description: 'Stop bits', default: 1 }),
    dtr: flag({ description: 'Whether the line DTR is raised: many USB readers wait for it', default: true }),
  },
  { additionalProperties: false, description: 'Serial, FTDI or CDC-ACM' },
);
export type SerialLinkProfile = Static<typeof SerialLinkProfile>;

export const HidLinkProfile = Type.Object(
  { kind: Type.Literal('hid') },
  {
    additionalProperties: false,
    description: 'USB HID reports whose first byte is the length, with bit 7 as a flow flag',
  },
);

export const KeyboardLinkProfile = Type.Object(
  {
    kind: Type.Literal('keyboard'),
    layout: choice(['us', 'de', 'fr', 'uk', 'ru'], {
      description: 'Layout of the keyboard that the reader plays',
      default: 'us',
    }),
  },
  { additionalProperties: false, description: 'USB HID keyboard: types what it read; grabbed exclusively' },
);
export type KeyboardLayout = Static<typeof KeyboardLinkProfile>['layout'];

export const LinkProfile = Type.Union([SerialLinkProfile, HidLinkProfile, KeyboardLinkProfile], {
  description: 'How it is connected, and the settings of the line',
});
export type LinkProfile = Static<typeof LinkProfile>;

/** Which bytes the block check character is the XOR of; what it covers varies from maker to maker. */
export const BlockCheck = choice(['none', 'text', 'text-etx', 'stx-text-etx'], {
  description: 'Bytes that the block check character after ETX is the XOR of',
  default: 'none',
});
export type BlockCheck = Static<typeof BlockCheck>;

export const FramingProfile = Type.Union(
  [
    Type.Object(
      {
        kind: Type.Literal('lines'),
        /** False where the last line has no line end of its own: then only silence ends a read. */
        lastLineEnd: flag({ description: 'Whether the last line has a line end', default: true }),
        blockCheck: BlockCheck,
      },
      {
        additionalProperties: false,
        description: 'Lines ended by CR, CRLF or LF, with or without STX and ETX',
      },
    ),
    Type.Object(
      { kind: Type.Literal('ocr31x') },
      { additionalProperties: false, description: 'Access-IS OCR31x: 1C 02 line CR … 03 1D' },
    ),
    Type.Object(
      { kind: Type.Literal('rte6701'), blockCheck: BlockCheck },
      {
        additionalProperties: false,
        description: '3M and Thales RTE6701: SOH length OU STX flag data ETX block check',
      },
    ),
    Type.Object(
      { kind: Type.Literal('elyctis') },
      {
        additionalProperties: false,
        description: 'Elyctis: command, length (2 bytes, high first), data',
      },
    ),
  ],
  { description: 'How its bytes are divided into reads' },
);
export type FramingProfile = Static<typeof FramingProfile>;

export const ProtocolProfile = Type.Union(
  [
    Type.Object(
      {
        kind: Type.Literal('listen'),
        setup: Type.Array(
          group(
            {
              send: bytes('What is sent'),
              expect: Type.Optional(bytes('What the answer holds; without it none is waited for')),
            },
            { description: 'One command' },
          ),
          { maxItems: 16, description: 'Sent one after the other when the reader is opened', default: [] },
        ),
        trigger: Type.Optional(
          group(
            {
              start: bytes('Begins one reading'),
              stop: bytes('Ends it'),
              mode: choice(['continuous', 'on-demand'], {
                description: 'Always reading, or when the officer asks for it',
                default: 'continuous',
              }),
              sessionMillis: integer(
                { minimum: 200, maximum: 60_000 },
                { description: 'How long one reading may take', unit: 'ms', default: 5000 },
              ),
            },
            { description: 'Commands of an imager that reads only when told to' },
          ),
        ),
      },
      { additionalProperties: false, description: 'The reader sends by itself, or when it is triggered' },
    ),
    Type.Object(
      { kind: Type.Literal('elyctis') },
      {
        additionalProperties: false,
        description: 'Elyctis: asked for its version, then continuous reading, armed again after each read',
      },
    ),
  ],
  { description: 'What is said to it, and when' },
);
export type ProtocolProfile = Static<typeof ProtocolProfile>;

export const ReaderFamily = choice(['swipe', 'access-is', 'rte6701', 'elyctis', 'honeywell', 'keyboard'], {
  description: 'Family: which section of docs/readers.md applies',
});
export type ReaderFamily = Static<typeof ReaderFamily>;

export const ProfileName = text(
  { pattern: '^[a-z0-9][a-z0-9-]{0,47}$' },
  { description: 'Name of the profile, for example access-is-ocr31x-usb' },
);

export const ReaderProfile = Type.Object(
  {
    name: ProfileName,
    family: ReaderFamily,
    title: text({ maxLength: 120 }, { description: 'What an engineer calls it' }),
    usb: Type.Array(
      group(
        {
          vendor: text({ pattern: '^[0-9a-f]{4}$' }, { description: 'USB vendor id' }),
          product: Type.Optional(text({ pattern: '^[0-9a-f]{4}$' }, { description: 'USB product id' })),
        },
        { description: 'One USB id; without a product every device of the vendor' },
      ),
      {
        maxItems: 32,
        description: 'USB ids that it fits; none for what stands behind any serial adapter',
        default: [],
      },
    ),
    link: LinkProfile,
    framing: FramingProfile,
    protocol: ProtocolProfile,
    /** What tells the officer, where the reader can: sent after a verdict. */
    signals: group(
      {
        read: Type.Optional(bytes('The document was read')),
        again: Type.Optional(bytes('It was not readable: swipe again')),
        attention: Type.Optional(bytes('Look at the page; only with feedback `full`')),
      },
      { description: 'Light and beep', default: {} },
    ),
    can: group(
      {
        beep: flag({ description: 'It beeps on command', default: false }),
        light: flag({ description: 'It has a light that obeys', default: false }),
        trigger: flag({ description: 'It can be told to read', default: false }),
      },
      { description: 'What it can do', default: {} },
    ),
    idleMillis: integer(
      { minimum: 20, maximum: 5000 },
      {
        description: 'Silence after which a frame without an end is taken as complete',
        unit: 'ms',
        default: 300,
      },
    ),
    repeatMillis: integer(
      { minimum: 0, maximum: 10_000 },
      { description: 'The same frame again within this time is one read', unit: 'ms', default: 1000 },
    ),
  },
  { additionalProperties: false, description: 'One reader profile' },
);
export type ReaderProfile = Static<typeof ReaderProfile>;

/** How much a reader's light and beep tell: `discreet` is the same for every verdict, so that a traveller learns nothing. */
export const Feedback = choice(['off', 'discreet', 'full'], {
  description:
    'Light and beep after a verdict: none; the same for every verdict and another for unreadable; or also one for hits',
  default: 'discreet',
});
export type Feedback = Static<typeof Feedback>;

/**
 * A device by its stable identity, in one word:
 *
 *     /dev/…                          a path, for a port of the machine itself
 *     usb:0db5:0138                   the only device of this model
 *     usb:0403:6001:A50285BI          by its serial number, in whatever port
 *     usb:067b:2303@1-1.2             by the port that it is plugged into, where it has no serial number
 *     usb:0403:6011:FT1234@1-1.2:1.1  one of several lines of one adapter
 */
export const devicePattern =
  '^(/[^\\s]{1,250}|usb:[0-9a-f]{4}:[0-9a-f]{4}(:[^\\s@]{1,64})?(@[0-9]+-[0-9]+(\\.[0-9]+)*(:[0-9]+\\.[0-9]+)?)?)$';
