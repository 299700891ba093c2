import { elyctis, elyctisCommand } from '../framing/elyctis.ts';
import type { Framed } from '../framing/framing.ts';
import type { Protocol, ProtocolAction, ProtocolInput } from './protocol.ts';

/** How long an answer may take. */
const answerMillis = 1000;
/**
 * How often a reader that waits for documents is armed again all the same: one that has lost its power says nothing, and
 * one whose read was lost on the line has switched itself off. A document that lies in it is not read twice by that.
 */
const againMillis = 30_000;

/** What is asked, in this order; then it is armed. */
const questions = [elyctis.version, elyctis.serial] as const;

type State = 'asking' | 'arming' | 'checking' | 'armed' | 'silent';

/**
 *     opened -> asking (version, serial number) -> arming -> armed -> a document comes, or 30 s -> arming …
 *                   |                                 | no answer
 *                   | no answer                    checking -> it lives: armed
 *                   v                                 v no answer
 *                 silent, armed and asked again every second until it answers
 *
 * Continuous reading switches itself off with each good read, so that it is armed again after every one; a document
 * that is put in before it is armed would be lost.
 */
export class ElyctisProtocol implements Protocol {
  #state: State = 'asking';
  #question = 0;
  #about: string[] = [];

  step(input: ProtocolInput): readonly ProtocolAction[] {
    switch (input.kind) {
      case 'opened':
        return this.#begin();
      case 'framed':
        return this.#framed(input.framed);
      case 'timeout':
        return this.#timeout();
      case 'trigger':
      default:
        // What lies in it is read once more.
        return [{ kind: 'send', bytes: elyctisCommand(elyctis.inquire) }];
    }
  }

  #begin(): ProtocolAction[] {
    this.#about = [];
    this.#question = 0;
    this.#state = 'asking';
    return this.#ask(questions[0]);
  }

  #ask(command: number): ProtocolAction[] {
    return [
      { kind: 'send', bytes: elyctisCommand(command) },
      { kind: 'wait', millis: answerMillis },
    ];
  }

  #arm(): ProtocolAction[] {
    this.#state = 'arming';
    return [
      { kind: 'send', bytes: elyctisCommand(elyctis.continuous, [1]) },
      { kind: 'wait', millis: answerMillis },
    ];
  }

  #isArmed(): ProtocolAction[] {
    this.#state = 'armed';
    return [{ kind: 'wait', millis: againMillis }];
  }

  #framed(framed: Framed): ProtocolAction[] {
    if (framed.kind === 'reply') return this.#reply(framed.command, framed.data);
    const actions: ProtocolAction[] = [{ kind: 'deliver', framed }];
    // Anything whole that it read has switched continuous reading off, and noise may be all that came of a read.
    const hasRead = framed.kind === 'frame' || framed.kind === 'other';
    if (hasRead || this.#state === 'armed') return [...actions, ...this.#arm()];
    return actions;
  }

  #reply(command: number, data: Uint8Array): ProtocolAction[] {
    const answers: ProtocolAction = { kind: 'answers', yes: true };
    if (command === elyctis.continuous && data[0] === 1) return [answers, ...this.#isArmed()];
    // Off: armed again when the answer to that is overdue, never at once, which could go round and round.
    if (command === elyctis.continuous) {
      this.#state = 'arming';
      return [answers, { kind: 'wait', millis: answerMillis }];
    }
    // It lives and does not acknowledge being armed: it is taken to be, and armed again as if it were.
    if (this.#state === 'checking') return [answers, ...this.#isArmed()];
    if (this.#state === 'silent') return [answers, ...this.#begin()];
    if (this.#state !== 'asking' || command !== questions[this.#question]) return [answers];
    this.#about.push(words(command, data));
    this.#question++;
    const next = questions[this.#question];
    if (next !== undefined) return [answers, ...this.#ask(next)];
    const about: ProtocolAction = { kind: 'about', text: this.#about.join(', ') };
    return [answers, about, ...this.#arm()];
  }

  #timeout(): ProtocolAction[] {
    if (this.#state === 'armed') return this.#arm();
    if (this.#state === 'arming') {
      this.#state = 'checking';
      return [
        { kind: 'send', bytes: elyctisCommand(elyctis.continuous, [1]) },
        ...this.#ask(elyctis.version),
      ];
    }
    // It may read all the same, if only its answer was lost: armed first, then asked.
    this.#state = 'silent';
    return [
      { kind: 'answers', yes: false },
      { kind: 'send', bytes: elyctisCommand(elyctis.continuous, [1]) },
      ...this.#ask(elyctis.version),
    ];
  }
}

function words(command: number, data: Uint8Array): string {
  const text = Buffer.from(data)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim();
  return command === elyctis.version ? `version ${text}` : `serial number ${text}`;
}
