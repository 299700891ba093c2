import { type HubStatus, type LineStatus, lineStates, type PathStatus } from '#contracts/uplink.ts';
import { ageWords } from '#runtime/page-words.ts';
import { wrap } from './wrap.ts';

/** One uplink: what it is, how it is and what says so, how good each of its paths is. */
export function describeLine(line: LineStatus): string[] {
  const metered = line.metered ? ' (metered)' : '';
  const head = `${line.name}, ${line.device}${metered}: ${lineStates[line.state].title}, for ${ageWords(line.since)}`;
  const facts = [
    ...(line.mtu === null ? [] : [`Packets up to ${line.mtu} bytes`]),
    ...(line.detectSeconds > 0 ? [`a failure is noticed within ${ageWords(line.detectSeconds)}`] : []),
  ];
  return [
    ...wrap(head, line.carries ? '> ' : '  ', 4),
    ...(line.evidence === '' ? [] : wrap(`Seen: ${line.evidence}`, '    ')),
    ...(line.paths.length === 0 ? [] : wrap(line.paths.map(pathWords).join('; '), '    ')),
    ...(facts.length === 0 ? [] : wrap(facts.join('; '), '    ')),
    ...dataWords(line),
  ];
}

function pathWords({ hub, state, loss, delayMillis }: PathStatus): string {
  const figures = [
    ...(state === 'up' ? [] : [state === 'down' ? 'no answer' : 'not tested yet']),
    ...(loss === null ? [] : [`loss ${percent(loss)}`]),
    ...(delayMillis === null ? [] : [`${Math.round(delayMillis)} ms`]),
  ];
  return `${hub} ${figures.length === 0 ? 'answers' : figures.join(', ')}`;
}

/** Whole percents; what is lost at all is never called 0, and what comes through at all never 100. */
function percent(share: number): string {
  if (share > 0 && share < 0.01) return 'below 1 %';
  if (share < 1 && share > 0.99) return 'above 99 %';
  return `${Math.round(share * 100)} %`;
}

function dataWords({ monthBytes, overBudget }: LineStatus): string[] {
  if (monthBytes === null && !overBudget) return [];
  const used = monthBytes === null ? '' : `${(monthBytes / 1e6).toFixed(1)} MB this month`;
  const over = overBudget ? 'the data budget is used up: it carries only when no other works' : '';
  return wrap([used, over].filter((text) => text !== '').join('; '), '    ');
}

const hubWords: Readonly<Record<HubStatus['state'], string>> = {
  up: 'answers',
  silent: 'does not answer',
  untested: 'not tested yet',
};

/** One hub, and how old the key is that is shared with it. `now` in milliseconds since 1970. */
export function describeHub(hub: HubStatus, now: number): string[] {
  const at = hub.endpoint === null ? '' : `, ${hub.endpoint}`;
  return [
    ...wrap(
      `${hub.name}${at}: ${hubWords[hub.state]}, for ${ageWords(hub.since)}`,
      hub.carries ? '> ' : '  ',
      4,
    ),
    ...wrap(keyWords(hub.key, now), '    '),
  ];
}

function keyWords({ state, rotatedAt, detail }: HubStatus['key'], now: number): string {
  const more = detail === '' ? '' : `: ${detail}`;
  if (state === 'rotating') return `The key is being changed${more}`;
  const age = rotatedAt === null ? Number.NaN : (now - Date.parse(rotatedAt)) / 1000;
  // A clock that is behind says nothing about the age.
  const old = age >= 0 ? `, ${ageWords(age)} old` : '';
  const key = rotatedAt === null ? 'the key of the enrolment' : `the key of ${rotatedAt.slice(0, 10)}${old}`;
  if (state === 'failed') return `A new key could not be brought into force${more}; in force is ${key}`;
  return `In force is ${key}`;
}
