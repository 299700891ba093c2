import type { TerminalView } from '#contracts/officer.ts';
import { timeWords } from '#runtime/page-words.ts';
import { copyWords, readerWords } from './words.ts';

interface HeaderProps {
  readonly terminal: TerminalView;
  readonly now: Date;
  /** Whether something typed is kept. */
  readonly kept: boolean;
  /** Whether the key T goes on with that, and not with what the verdict offers. */
  readonly typeKey: boolean;
  /** Undefined while the form is open. */
  readonly onType: (() => void) | undefined;
  /** Undefined where no reader can be told to read, or the verdict's place offers it. */
  readonly onTrigger: (() => void) | undefined;
}

/** Where this is, what time the terminal takes it to be, whether this is only a demonstration, and what can be done. */
export function Header({ terminal, now, kept, typeKey, onType, onTrigger }: HeaderProps) {
  return (
    <header>
      <span class="site">{terminal.site}</span>
      <span class="terminal">{terminal.terminal}</span>
      {terminal.demo && <strong class="demo">DEMO, specimen data only</strong>}
      <span class="actions">
        {onTrigger !== undefined && (
          <button type="button" onClick={onTrigger}>
            <kbd>R</kbd> Read now
          </button>
        )}
        {onType !== undefined && (
          <button type="button" onClick={onType}>
            {typeKey && <kbd>T</kbd>} {kept ? 'Go on typing' : 'Type a document'}
          </button>
        )}
      </span>
      <time>{timeWords(now.toISOString())}</time>
    </header>
  );
}

type Level = 'good' | 'care' | 'bad';
interface Fact {
  readonly name: string;
  readonly level: Level;
  readonly words: string;
  /** What a reader says about itself. */
  readonly about?: string;
}

/** What an officer must always see: who can answer, how old the copy is, reader, clock, and what is owed. */
export function Footer({ terminal, now }: { readonly terminal: TerminalView; readonly now: Date }) {
  return (
    <footer aria-label="State of this terminal">
      {facts(terminal, now).map(({ name, level, words, about }) => (
        <div key={name} class={`fact ${level}`} title={about}>
          <span class="sign" aria-hidden="true">
            {level === 'good' ? '●' : level === 'care' ? '▲' : '✕'}
          </span>
          <span class="name">{name}</span>
          <span class="words">
            {words}
            {about !== undefined && <span class="about">{about}</span>}
          </span>
        </div>
      ))}
    </footer>
  );
}

function facts(terminal: TerminalView, now: Date): readonly Fact[] {
  const { link, edition, clock, owed } = terminal;
  const centre: Fact =
    link === 'up'
      ? { name: 'Centre', level: 'good', words: 'connected' }
      : link === 'down'
        ? {
            name: 'Centre',
            level: 'care',
            words: edition === null ? 'out of reach' : 'out of reach, the copy answers',
          }
        : { name: 'Centre', level: 'care', words: 'not reached yet' };
  return [centre, copyFact(terminal, now), ...readerFacts(terminal), clockFact(clock), owedFact(owed)];
}

function copyFact({ edition, time }: TerminalView, now: Date): Fact {
  if (edition === null) return { name: 'Copy', level: 'bad', words: 'none on this terminal' };
  const words = copyWords(edition, time, now);
  if (edition.tooOld) return { name: 'Copy', level: 'bad', words: `too old: ${words}` };
  if (edition.damaged) return { name: 'Copy', level: 'bad', words: `damaged in part: ${words}` };
  if (edition.aging) return { name: 'Copy', level: 'care', words: `getting old: ${words}` };
  return { name: 'Copy', level: edition.age.bound === 'exact' ? 'good' : 'care', words };
}

function readerFacts({ readers }: TerminalView): readonly Fact[] {
  if (readers.length === 0) return [{ name: 'Reader', level: 'bad', words: 'none configured' }];
  return readers.map(({ id, state, about }) => ({
    name: `Reader ${id}`,
    level: state === 'ready' ? 'good' : 'bad',
    words: readerWords[state],
    ...(about !== undefined && { about }),
  }));
}

function clockFact(clock: TerminalView['clock']): Fact {
  return clock === 'verified'
    ? { name: 'Clock', level: 'good', words: 'verified' }
    : { name: 'Clock', level: 'care', words: 'not verified' };
}

function owedFact(owed: number): Fact {
  return owed === 0
    ? { name: 'To the centre', level: 'good', words: 'all sent' }
    : {
        name: 'To the centre',
        level: 'care',
        words: `${owed} ${owed === 1 ? 'report waits' : 'reports wait'}`,
      };
}
