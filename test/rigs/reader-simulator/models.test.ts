import { describe, expect, test } from 'vitest';
import { builtInProfiles } from '#agent/readers/index.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { elyctis, latin } from './encode.ts';
import { ElyctisModel } from './elyctis-model.ts';
import { ListenModel } from './listen-model.ts';
import type { ModelParts, ReaderModel } from './model.ts';

// What the models of readers do, with nothing around them: a document is a word here.

/** All that the model did, one line each. */
function parts(): { readonly done: string[]; readonly parts: ModelParts<string> } {
  const done: string[] = [];
  return {
    done,
    parts: {
      read: (document) => void done.push(`read ${document}`),
      answer: (bytes) => void done.push(`answer ${Buffer.from(bytes).toString('hex')}`),
      command: (bytes) => void done.push(`command ${Buffer.from(bytes).toString('hex')}`),
      signal: (name) => void done.push(`signal ${name}`),
    },
  };
}

function profile(name: string): ReaderProfile {
  const found = builtInProfiles.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no profile ${name}`);
  return found;
}

/** The bytes in one piece, and byte by byte: a line cuts where it likes. */
const ways: readonly [string, (model: ReaderModel<string>, bytes: Uint8Array) => void][] = [
  ['in one piece', (model, bytes) => model.heard(bytes)],
  [
    'byte by byte',
    (model, bytes) => {
      for (const byte of bytes) model.heard(Uint8Array.of(byte));
    },
  ],
];

describe.each(ways)('An Elyctis IDBOX that is talked to %s', (_way, tell) => {
  const arm = elyctis('C', Uint8Array.of(1));

  test('answers what it is asked, with the letter of the question', () => {
    const { done, parts: its } = parts();
    tell(new ElyctisModel(its), latin('V\0\0R\0\0I\0\0'));
    expect(done.filter((line) => line.startsWith('answer')).map((line) => line.slice(7, 9))).toEqual([
      '56',
      '52',
      '49',
    ]);
  });

  test('reads once after it was armed, and what is put in before it is armed again is lost', () => {
    const { done, parts: its } = parts();
    const model = new ElyctisModel(its);
    expect(model.put('too early')).toBe(false);
    tell(model, arm);
    expect(done).toEqual(['command 43000101', 'answer 43000101']);
    expect(model.put('first')).toBe(true);
    expect(model.put('lost')).toBe(false);
    tell(model, arm);
    expect(model.put('second')).toBe(true);
    expect(done.filter((line) => line.startsWith('read'))).toEqual(['read first', 'read second']);
  });

  test('sends what lies in it when it is asked', () => {
    const { done, parts: its } = parts();
    const model = new ElyctisModel(its);
    model.put('lying');
    tell(model, elyctis('I'));
    expect(done).toEqual(['command 490000', 'read lying']);
  });

  test('finds the next command behind garbage, and forgets that it was armed without power', () => {
    const { done, parts: its } = parts();
    const model = new ElyctisModel(its);
    tell(model, latin('\xff\x00xV\xff\xff'));
    tell(model, arm);
    expect(done.at(-1)).toBe('answer 43000101');
    model.powerOn();
    expect(model.listening).toBe(false);
  });
});

describe.each(ways)('A Honeywell imager that is talked to %s', (_way, tell) => {
  const imager = () => {
    const { done, parts: its } = parts();
    return { done, model: new ListenModel(profile('honeywell-imager-on-demand'), its) };
  };
  const ocrOn = latin('\x16M\rocrena1!');
  const start = latin('\x16T\r');
  const stop = latin('\x16U\r');

  test('answers a menu command with its capitals, ACK and its end', () => {
    const { done, model } = imager();
    tell(model, ocrOn);
    expect(done.at(-1)).toBe(`answer ${Buffer.from('OCRENA1\x06!', 'latin1').toString('hex')}`);
  });

  test('reads nothing before OCR was switched on, nor without a session, nor after one was ended', () => {
    const { done, model } = imager();
    tell(model, start);
    expect(model.put('a')).toBe(false);
    model.powerOn();
    tell(model, ocrOn);
    expect(model.put('b')).toBe(false);
    model.powerOn();
    tell(model, ocrOn);
    tell(model, start);
    tell(model, stop);
    expect(model.put('c')).toBe(false);
    expect(done.some((line) => line.startsWith('read'))).toBe(false);
  });

  test('reads once in a session, and what lay before it when the session began', () => {
    const { done, model } = imager();
    tell(model, ocrOn);
    model.put('lying');
    tell(model, start);
    expect(model.listening).toBe(false);
    tell(model, start);
    expect(model.put('next')).toBe(true);
    expect(done.filter((line) => line.startsWith('read'))).toEqual(['read lying', 'read next']);
  });

  test('beeps when it is told to', () => {
    const { done, model } = imager();
    tell(model, Buffer.from(profile('honeywell-imager-on-demand').signals.attention ?? '', 'hex'));
    expect(done).toContain('signal attention');
  });
});

test('A swipe reader reads whatever is put on it and understands nothing', () => {
  const { done, parts: its } = parts();
  const model = new ListenModel(profile('swipe'), its);
  model.heard(latin('\x16T\rC\0\x01\x01'));
  expect(model.put('one')).toBe(true);
  expect(done).toEqual(['read one']);
});
