import { type Conclusion, lineName, type Proposal, speedRange } from '#agent/readers/index.ts';

/** What the probe concluded, in words; the proposal is ready to paste. */
export function conclusionWords(conclusion: Conclusion, proposal: Proposal | undefined): string {
  const words = findings(conclusion);
  if (proposal === undefined) return words;
  const { profile, isNew, reader } = proposal;
  return [
    words,
    '',
    ...(isNew
      ? [
          'No profile that there is fits. Put this one into `profiles` of the agent’s settings:',
          JSON.stringify(profile, undefined, 2),
        ]
      : [`The profile ${profile.name} fits (${profile.title}).`]),
    'Put this into `readers` of the agent’s settings, under an id of your choice:',
    JSON.stringify(reader, undefined, 2),
  ].join('\n');
}

function findings(conclusion: Conclusion): string {
  switch (conclusion.kind) {
    case 'found':
      return foundWords(conclusion);
    case 'answers':
      return `Found: an Elyctis reader at ${lineName(conclusion.line)}, which says of itself: ${conclusion.about || 'nothing'}.`;
    case 'looped':
      return [
        'What was sent came back: sending and receiving line are joined (2 and 3 touch each other in a plug or a null',
        'modem, or a loop-back plug is on the cable). Take the joint away and try again.',
      ].join('\n');
    case 'nothing':
      return nothingWords(conclusion);
    case 'unsure':
      return unsureWords(conclusion);
    case 'unknown':
    default:
      return unknownWords(conclusion);
  }
}

type Found = Extract<Conclusion, { kind: 'found' }>;

function foundWords({ line, wrapping, swipes }: Found): string {
  const { framing, lineEnd, lines, repeats, unknownCheck } = wrapping;
  const shape = {
    lines: `lines${lineEnd === 'none' ? ' without a line end' : ` ended by ${lineEnd}`}`,
    ocr31x: 'the framing of Access-IS OCR31x (1C 02 … 03 1D)',
    rte6701: 'the framing of 3M and Thales RTE6701 (SOH … STX … ETX)',
    elyctis: 'the framing of Elyctis (command, length, data)',
  }[framing.kind];
  const check = {
    none: '',
    text: ', a block check over the text',
    'text-etx': ', a block check over the text and ETX',
    'stx-text-etx': ', a block check over STX, the text and ETX',
  }['blockCheck' in framing ? framing.blockCheck : 'none'];
  const last = framing.kind === 'lines' && !framing.lastLineEnd ? ', none after the last line' : '';
  return [
    `Found after ${swipes} swipes: ${lineName(line)}, ${shape}${last}${check}; ${lineWords(lines)}.`,
    ...(repeats ? ['It sends the same more than once for one swipe: that is one read.'] : []),
    ...(unknownCheck
      ? [
          'A byte follows ETX that is no block check which Checkpost knows; reads are taken without checking it.',
        ]
      : []),
  ].join('\n');
}

function unsureWords({ line, seen, swipes }: Extract<Conclusion, { kind: 'unsure' }>): string {
  const after = swipes === 1 ? 'one swipe' : `${swipes} swipes`;
  const what = {
    zone: 'One whole read came, and no second one that agrees with it.',
    part: 'Only parts of documents came, or damaged ones: swipe slowly and in one go, and clean the reader.',
    text: 'Text came, but no machine readable zone: swipe a passport or a card, its lines towards the reader.',
  }[seen];
  return [
    `Nothing is sure after ${after}. ${what}`,
    `The speed is likely right (${lineName(line)}); a profile is proposed when two whole reads agree. Begin again.`,
  ].join('\n');
}

function unknownWords({ swipes, tried }: Extract<Conclusion, { kind: 'unknown' }>): string {
  return [
    `Something comes, but under no setting that was tried is it text (after ${swipes === 1 ? 'one swipe' : `${swipes} swipes`}).`,
    `Tried: ${tried.join(', ')}.`,
    'The line is noisy (a long or damaged cable, no common ground), or the reader sends what is no text, or it talks at a',
    `speed outside of ${speedRange}. Print the reader’s own settings, if it can, or set it back to its factory`,
    'settings, and begin again.',
  ].join('\n');
}

function lineWords(lines: readonly number[]): string {
  const number = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`;
  return `${number} of ${[...new Set(lines)].join(' and ')} characters`;
}

function nothingWords({ modem, spikes, asked }: Extract<Conclusion, { kind: 'nothing' }>): string {
  const raised =
    modem === undefined
      ? []
      : (['cts', 'dsr', 'dcd'] as const).filter((name) => modem[name]).map((name) => name.toUpperCase());
  const port =
    modem === undefined
      ? 'This port cannot tell whether something is plugged in.'
      : raised.length === 0
        ? 'None of the lines CTS, DSR and DCD is raised: nothing is plugged in, it has no power, or its cable has three wires only.'
        : `${raised.join(' and ')} ${raised.length === 1 ? 'is' : 'are'} raised: something with power is plugged in.`;
  return [
    `${
      spikes === 0
        ? 'Nothing came at all.'
        : 'Nothing came but spikes of a byte or two: a disturbed line, or one that is much faster.'
    } ${port}`,
    `It was asked for its version at ${asked.join(', ')} baud.`,
    'Look in this order:',
    '  1. Has the reader power: does a light burn, does it beep at a swipe?',
    '  2. Is its cable in this port, and whole? Try it with `checkpost readers` before and after unplugging.',
    '  3. Are the wires crossed? What the reader sends (pin 2 or 3) must meet what the terminal receives: put a null modem',
    '     between them, or take one out.',
    '  4. Is the reader in keyboard mode, or in USB HID mode? Then it sends nothing on a serial line: `checkpost readers`',
    '     shows it as keyboard or hid.',
    '  5. Does it read only when it is told to (an imager with a trigger)? Press its trigger, or try its profile.',
    `  6. Or it talks at a speed outside of ${speedRange}, or one so high that this port hears nothing of it at`,
    '     9600 baud: print its settings, if it can.',
  ].join('\n');
}
