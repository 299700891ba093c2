import { describe, expect, test } from 'vitest';
import { ReaderProfile } from '#contracts/readers.ts';
import { parseValue } from '#runtime/parse.ts';
import { elyctis, elyctisCommand } from '../framing/elyctis.ts';
import type { Framed } from '../framing/framing.ts';
import { builtInProfiles } from '../profiles.ts';
import { createProtocol } from './create.ts';
import type { Protocol, ProtocolAction, ProtocolInput } from './protocol.ts';

const frame: Framed = { kind: 'frame', text: Buffer.from('P<UTO'), noisy: false, damaged: false };
const framed = (one: Framed): ProtocolInput => ({ kind: 'framed', framed: one });
const reply = (command: number, text: string): ProtocolInput =>
  framed({ kind: 'reply', command, data: Buffer.from(text, 'latin1') });

function protocolOf(name: string, idleMillis = 0): Protocol {
  const profile = builtInProfiles.find((one) => one.name === name);
  if (profile === undefined) throw new Error(name);
  return createProtocol(profile.protocol, idleMillis);
}

/** Actions in one word each, so that a table of them can be read. */
function words(actions: readonly ProtocolAction[]): string[] {
  return actions.map((action) => {
    switch (action.kind) {
      case 'send':
        return `send ${Buffer.from(action.bytes).toString('hex')}`;
      case 'deliver':
        return `deliver ${action.framed.kind}`;
      case 'wait':
        return `wait ${action.millis}`;
      case 'answers':
        return action.yes ? 'answers' : 'silent';
      case 'about':
      default:
        return `about ${action.text}`;
    }
  });
}

/** Plays inputs and compares what is wanted after each. */
function plays(protocol: Protocol, table: readonly (readonly [ProtocolInput, readonly string[]])[]): void {
  for (const [at, [input, wanted]] of table.entries()) {
    expect(words(protocol.step(input)), `step ${at + 1}, ${input.kind}`).toEqual(wanted);
  }
}

const opened: ProtocolInput = { kind: 'opened' };
const timeout: ProtocolInput = { kind: 'timeout' };
const trigger: ProtocolInput = { kind: 'trigger' };

describe('Elyctis', () => {
  const askVersion = ['send 560000', 'wait 1000'];
  const arm = ['send 43000101', 'wait 1000'];
  const check = ['send 43000101', ...askVersion];

  test('is asked for version and serial number, armed, and armed again after each read', () => {
    plays(protocolOf('elyctis-idbox'), [
      [opened, askVersion],
      [reply(elyctis.version, '1.07\r'), ['answers', 'send 520000', 'wait 1000']],
      [reply(elyctis.serial, '000123'), ['answers', 'about version 1.07, serial number 000123', ...arm]],
      [reply(elyctis.continuous, '\x01'), ['answers', 'wait 30000']],
      [framed(frame), ['deliver frame', ...arm]],
      [reply(elyctis.continuous, '\x01'), ['answers', 'wait 30000']],
      [framed({ kind: 'other', what: 'one-line' }), ['deliver other', ...arm]],
    ]);
  });

  test('that does not answer is silent and asked for as long as it takes; its answer begins everything anew', () => {
    const again = ['silent', 'send 43000101', ...askVersion];
    plays(protocolOf('elyctis-idbox'), [
      [opened, askVersion],
      [timeout, again],
      [timeout, again],
      [reply(elyctis.version, '1.07'), ['answers', ...askVersion]],
    ]);
  });

  test('is armed again every half minute, so that a read lost on the line costs no more and lost power is noticed', () => {
    const protocol = protocolOf('elyctis-idbox');
    for (const input of [
      opened,
      reply(elyctis.version, 'a'),
      reply(elyctis.serial, 'b'),
      reply(elyctis.continuous, '\x01'),
    ])
      protocol.step(input);
    plays(protocol, [
      [timeout, arm],
      [reply(elyctis.continuous, '\x01'), ['answers', 'wait 30000']],
      [timeout, arm],
      [timeout, check],
      [timeout, ['silent', 'send 43000101', ...askVersion]],
    ]);
  });

  test('that never acknowledges being armed, but lives, is taken to be armed: no lamp goes on and off', () => {
    const protocol = protocolOf('elyctis-idbox');
    for (const input of [opened, reply(elyctis.version, 'a'), reply(elyctis.serial, 'b')])
      protocol.step(input);
    plays(protocol, [
      [timeout, check],
      [reply(elyctis.version, 'a'), ['answers', 'wait 30000']],
      [framed(frame), ['deliver frame', ...arm]],
      [timeout, check],
      [reply(elyctis.version, 'a'), ['answers', 'wait 30000']],
    ]);
  });

  test('that says it is switched off is not taken to be armed, and is not asked without a pause', () => {
    const protocol = protocolOf('elyctis-idbox');
    for (const input of [opened, reply(elyctis.version, 'a'), reply(elyctis.serial, 'b')])
      protocol.step(input);
    plays(protocol, [
      [reply(elyctis.continuous, '\x00'), ['answers', 'wait 1000']],
      [timeout, check],
    ]);
  });

  test('reads what lies in it when it is told to', () => {
    plays(protocolOf('elyctis-idbox'), [[trigger, ['send 490000']]]);
  });

  test('what it says about itself holds no control characters', () => {
    const protocol = protocolOf('elyctis-idbox');
    protocol.step(opened);
    protocol.step(reply(elyctis.version, '\x1b[2J1\r\n'));
    const about = words(protocol.step(reply(elyctis.serial, '\0\x07'))).find((word) =>
      word.startsWith('about'),
    );
    expect(about).toMatch(/^[\x20-\x7e]+$/);
  });

  test('a command is its letter, the length of its data, high byte first, and the data', () => {
    expect(Buffer.from(elyctisCommand(elyctis.continuous, [1])).toString('hex')).toBe('43000101');
  });
});

describe('Honeywell imagers', () => {
  const setUp = ['send 164d0d6f6372656e613121', 'wait 1000'];
  const start = ['send 16540d', 'wait 5000'];
  const answer = framed({ kind: 'noise', bytes: Buffer.from('OCRENA1\x06!') });

  test('always reading: set up, its answer swallowed, triggered, and triggered again after each read and each vain try', () => {
    plays(protocolOf('honeywell-imager'), [
      [opened, setUp],
      [answer, ['answers', ...start]],
      [framed(frame), ['deliver frame', 'send 16550d', ...start]],
      [timeout, ['send 16550d', ...start]],
    ]);
  });

  test('on demand: read only when the officer asks', () => {
    plays(protocolOf('honeywell-imager-on-demand'), [
      [opened, setUp],
      [answer, ['answers']],
      [timeout, []],
      [trigger, start],
      [trigger, []],
      [framed(frame), ['deliver frame', 'send 16550d']],
      [trigger, start],
      [timeout, ['send 16550d']],
    ]);
  });

  test('a trigger while it is still being set up is not forgotten', () => {
    plays(protocolOf('honeywell-imager-on-demand'), [
      [opened, setUp],
      [trigger, []],
      [answer, ['answers', ...start]],
    ]);
  });

  test('a document that came glued to the answer is not lost', () => {
    const glued: Framed = {
      ...frame,
      text: Uint8Array.from(Buffer.from('OCRENA1\x06!P<UTO')),
      noisy: true,
    };
    const protocol = protocolOf('honeywell-imager-on-demand');
    protocol.step(opened);
    const [delivered, ...rest] = protocol.step(framed(glued));
    expect(delivered).toEqual({
      kind: 'deliver',
      framed: { ...frame, text: Uint8Array.from(Buffer.from('P<UTO')) },
    });
    expect(words(rest)).toEqual(['answers']);
  });

  test('a trigger is forgotten where the setup fails: who asked has given up', () => {
    plays(protocolOf('honeywell-imager-on-demand'), [
      [opened, setUp],
      [trigger, []],
      [timeout, ['silent', 'wait 5000']],
      [timeout, setUp],
      [answer, ['answers']],
    ]);
  });

  test('an answer is out with silence only, so that a long silence gives it the longer', () => {
    plays(protocolOf('honeywell-imager', 5000), [[opened, [setUp[0] ?? '', 'wait 6000']]]);
  });

  test('that does not answer is silent and set up again; what it reads meanwhile is not lost', () => {
    plays(protocolOf('honeywell-imager'), [
      [opened, setUp],
      [timeout, ['silent', 'wait 5000']],
      [timeout, setUp],
      [timeout, ['silent', 'wait 5000']],
      [framed(frame), ['deliver frame', 'answers', ...setUp]],
    ]);
  });
});

describe('A reader that only sends', () => {
  test('is passed on whatever it sends, and never told anything', () => {
    plays(protocolOf('swipe'), [
      [opened, []],
      [framed(frame), ['deliver frame']],
      [trigger, []],
      [framed({ kind: 'noise', bytes: new Uint8Array(3) }), ['deliver noise']],
      [timeout, []],
    ]);
  });
});

describe('Profiles', () => {
  test('that ship fit their schema, have names of their own, and say nothing that their link cannot do', () => {
    for (const profile of builtInProfiles) {
      expect(parseValue(ReaderProfile, profile, 'SETTINGS_INVALID').ok, profile.name).toBe(true);
      const { can, protocol } = profile;
      const triggers = protocol.kind === 'elyctis' || protocol.trigger?.mode === 'on-demand';
      expect(can.trigger, profile.name).toBe(triggers);
      const signals = Object.keys(profile.signals).length > 0;
      expect(can.beep || can.light, profile.name).toBe(signals);
    }
    expect(new Set(builtInProfiles.map(({ name }) => name)).size).toBe(builtInProfiles.length);
  });
});
