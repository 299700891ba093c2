import type { ProtocolProfile } from '#contracts/readers.ts';
import type { Framed } from '../framing/framing.ts';
import { fromHex, indexOfBytes } from './bytes.ts';
import type { Protocol, ProtocolAction, ProtocolInput } from './protocol.ts';

type ListenProfile = Extract<ProtocolProfile, { kind: 'listen' }>;

/** How long an answer to a command of the setup may take, beside the silence that ends it. */
const answerMillis = 1000;
/** After so long a reader that did not answer is set up again. */
const againMillis = 5000;

/**
 *     opened -> setting up (command by command, each answer waited for) -> listening
 *                    | no answer                                             | trigger, or always
 *                    v                                                       v
 *                  silent -> after 5 s set up again                       reading -> frame or time over -> listening
 *
 * A read is passed on in every state: a reader that sends documents is answer enough.
 */
export class ListenProtocol implements Protocol {
  readonly #profile: ListenProfile;
  #state: 'listening' | 'setting-up' | 'silent' | 'reading' = 'listening';
  #at = 0;
  readonly #answerMillis: number;
  /** A trigger came while it could not be obeyed. */
  #isWanted = false;

  constructor(profile: ListenProfile, idleMillis: number) {
    this.#profile = profile;
    this.#answerMillis = answerMillis + idleMillis;
  }

  step(input: ProtocolInput): readonly ProtocolAction[] {
    switch (input.kind) {
      case 'opened':
        return this.#setUp(0);
      case 'framed':
        return this.#framed(input.framed);
      case 'timeout':
        return this.#timeout();
      case 'trigger':
      default:
        if (this.#state === 'listening') return this.#read();
        this.#isWanted = this.#state === 'setting-up';
        return [];
    }
  }

  #setUp(from: number): ProtocolAction[] {
    const actions: ProtocolAction[] = [];
    for (let at = from; at < this.#profile.setup.length; at++) {
      const command = this.#profile.setup[at];
      if (command === undefined) break;
      actions.push({ kind: 'send', bytes: fromHex(command.send) });
      if (command.expect === undefined) continue;
      this.#at = at;
      this.#state = 'setting-up';
      return [...actions, { kind: 'wait', millis: this.#answerMillis }];
    }
    if (this.#profile.setup.some(({ expect }) => expect !== undefined))
      actions.push({ kind: 'answers', yes: true });
    return [...actions, ...this.#listen()];
  }

  #framed(framed: Framed): ProtocolAction[] {
    if (this.#state === 'setting-up') {
      const behind = behindAnswer(framed, fromHex(this.#profile.setup[this.#at]?.expect ?? ''));
      // A document may have come glued to the answer.
      if (behind !== undefined)
        return [
          ...(behind.length > 0 ? deliver({ ...behindFrame, text: behind }) : []),
          ...this.#setUp(this.#at + 1),
        ];
    }
    const actions = deliver(framed);
    if (framed.kind !== 'frame') return actions;
    if (this.#state === 'silent') return [...actions, { kind: 'answers', yes: true }, ...this.#setUp(0)];
    const { trigger } = this.#profile;
    if (this.#state !== 'reading' || trigger === undefined) return actions;
    return [...actions, { kind: 'send', bytes: fromHex(trigger.stop) }, ...this.#listen()];
  }

  #timeout(): ProtocolAction[] {
    if (this.#state === 'setting-up') {
      this.#state = 'silent';
      // Who asked for a read has given up by the time that it answers again.
      this.#isWanted = false;
      return [
        { kind: 'answers', yes: false },
        { kind: 'wait', millis: againMillis },
      ];
    }
    if (this.#state === 'silent') return this.#setUp(0);
    const { trigger } = this.#profile;
    if (this.#state !== 'reading' || trigger === undefined) return [];
    return [{ kind: 'send', bytes: fromHex(trigger.stop) }, ...this.#listen()];
  }

  #listen(): ProtocolAction[] {
    this.#state = 'listening';
    const isWanted = this.#isWanted || this.#profile.trigger?.mode === 'continuous';
    this.#isWanted = false;
    return isWanted ? this.#read() : [];
  }

  #read(): ProtocolAction[] {
    const { trigger } = this.#profile;
    if (trigger === undefined) return [];
    this.#state = 'reading';
    return [
      { kind: 'send', bytes: fromHex(trigger.start) },
      { kind: 'wait', millis: trigger.sessionMillis },
    ];
  }
}

const behindFrame = { kind: 'frame', noisy: false, damaged: false } as const;

function deliver(framed: Framed): ProtocolAction[] {
  return [{ kind: 'deliver', framed }];
}

/**
 * What came behind the answer that is expected; undefined where this is none. An answer has control characters and no
 * line end, so a framing of lines takes it for noise, or for the beginning of what follows it.
 */
function behindAnswer(framed: Framed, expected: Uint8Array): Uint8Array | undefined {
  if (framed.kind !== 'noise' && framed.kind !== 'frame') return undefined;
  const bytes = framed.kind === 'noise' ? framed.bytes : framed.text;
  const at = indexOfBytes(bytes, expected);
  return at < 0 ? undefined : bytes.slice(at + expected.length);
}
