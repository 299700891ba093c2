import type { Socket } from 'node:net';
import { fail, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type UplinkAnswer, uplinkLineLimit, type UplinkRequest } from '#contracts/uplink.ts';
import type { Clock } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { LineCutter } from '#runtime/lines.ts';
import type { LogFields } from '#runtime/log.ts';
import { farewell } from './farewell.ts';
import type { Handlers } from './handlers.ts';
import { readRequest } from './request.ts';
import { type Caller, mayAsk } from './rights.ts';

/** So long a connection may ask nothing, where it does not watch. */
const idle = ms(30_000);
/** So long the other end may take nothing of what it asked for. */
const stalled = ms(10_000);

export interface ConnectionParts {
  readonly caller: Caller;
  readonly handlers: Handlers;
  readonly clock: Clock;
  /** Something that whoever keeps the machine should know: what was done, and what was refused. */
  readonly note: (text: string, fields: LogFields) => void;
  readonly complain: (text: string, fields: LogFields) => void;
}

/**
 * One connection to the control socket. It does what it is asked for one after the other, and reads no further while
 * it is busy or its answers are not taken, so that what it holds is bounded: one line, one piece of the stream, one
 * status. A watcher that is slow gets the newest status when it can take it, and none of those before.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #cutter = new LineCutter(uplinkLineLimit);
  readonly #lines: string[] = [];
  #busy = false;
  #ended = false;
  #cancelIdle = (): void => {};
  #cancelStall: (() => void) | undefined;
  #watch: { readonly id: number; readonly end: () => void; due: boolean } | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  /** Begins to listen; it ends with the socket. */
  listen(): void {
    const socket = this.#socket;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('drain', () => this.#drained());
    socket.on('end', () => {
      this.#ended = true;
      this.#settle();
    });
    socket.on('close', () => this.#over());
    this.#settle();
  }

  #take(piece: Buffer): void {
    this.#lines.push(...this.#cutter.push(piece));
    if (this.#cutter.overlong || this.#lines.length > 0) this.#cancelIdle();
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#socket.pause();
    for (;;) {
      if (this.#socket.destroyed || this.#socket.writableNeedDrain) break;
      const line = this.#lines.shift();
      if (line === undefined) break;
      await this.#answer(line);
    }
    this.#busy = false;
    if (this.#socket.destroyed || this.#socket.writableNeedDrain) return;
    if (this.#cutter.overlong) {
      this.#parts.complain('A line at the control socket was too long', { caller: this.#parts.caller });
      const detail = `A line is longer than ${uplinkLineLimit} bytes.`;
      farewell(this.#socket, { code: 'UPLINK_REQUEST_INVALID', detail }, this.#parts.clock);
      return;
    }
    this.#socket.resume();
    this.#settle();
  }

  /** Nothing is being done: waits for more, or ends where the other end has said all. */
  #settle(): void {
    if (this.#busy || this.#socket.destroyed) return;
    this.#cancelIdle();
    // A watcher that is gone looks like one that has said all: both end, or the dead would hold every connection.
    if (this.#ended) this.#socket.end();
    else if (this.#watch === undefined)
      this.#cancelIdle = this.#parts.clock.after(idle, () => this.#socket.destroy());
  }

  async #answer(line: string): Promise<void> {
    const { id, request } = readRequest(line);
    const { caller, complain } = this.#parts;
    if (!request.ok) {
      complain('The control socket was asked something that it does not understand', { caller });
      this.#send(refusal(id, request));
      return;
    }
    const { verb } = request.value;
    if (!mayAsk(caller, verb)) {
      complain('Somebody may not ask this of the control socket', { code: 'UPLINK_DENIED', caller, verb });
      this.#send(refusal(id, fail('UPLINK_DENIED', `${who[caller]} may not ask for ${verb}.`)));
      return;
    }
    try {
      this.#send(await this.#do(request.value));
    } catch (thrown) {
      const { code, detail } = toFault(thrown);
      complain('A verb of the control socket failed', { code, detail, verb });
      this.#send(refusal(id, fail('INTERNAL', 'It failed; see the log.')));
    }
  }

  async #do(request: UplinkRequest): Promise<UplinkAnswer> {
    const { handlers, note, caller } = this.#parts;
    const { id } = request;
    const done = (result: Result<void>): UplinkAnswer => {
      note('The control socket was told', {
        verb: request.verb,
        caller,
        ...(!result.ok && { code: result.fault.code }),
      });
      return result.ok ? { id, ok: true } : refusal(id, result);
    };
    switch (request.verb) {
      case 'status':
        return { id, ok: true, status: handlers.status() };
      case 'watch':
        this.#watch?.end();
        this.#watch = { id, end: handlers.subscribe(() => this.#changed()), due: false };
        return { id, ok: true, status: handlers.status() };
      case 'apply':
        return done(await handlers.apply(request.envelope));
      case 'rotate':
        return done(await handlers.rotate(request.hub));
      case 'probe':
        return done(handlers.probe());
      case 'prefer': {
        const { uplink, hub } = request;
        const choice = { ...(uplink !== undefined && { uplink }), ...(hub !== undefined && { hub }) };
        return done(handlers.prefer(request.auto ? { auto: true } : { auto: false, ...choice }));
      }
      case 'enrolment':
        return done(await handlers.enrolment(request.seconds));
      default:
        return refusal(id, fail('UPLINK_REQUEST_INVALID', 'The verb is unknown.'));
    }
  }

  #changed(): void {
    const watch = this.#watch;
    if (watch === undefined || this.#socket.destroyed) return;
    if (this.#socket.writableNeedDrain) {
      watch.due = true;
      return;
    }
    watch.due = false;
    try {
      this.#send({ id: watch.id, ok: true, status: this.#parts.handlers.status() });
    } catch (thrown) {
      const { code, detail } = toFault(thrown);
      this.#parts.complain('The status could not be told', { code, detail });
      this.#socket.destroy();
    }
  }

  #send(answer: UplinkAnswer): void {
    if (!this.#socket.writable) return;
    if (this.#socket.write(`${JSON.stringify(answer)}\n`)) return;
    this.#cancelStall ??= this.#parts.clock.after(stalled, () => {
      this.#parts.complain('Somebody at the control socket does not take what was asked for', {
        caller: this.#parts.caller,
      });
      this.#socket.destroy();
    });
  }

  #drained(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    if (this.#watch?.due === true) this.#changed();
    void this.#work();
  }

  #over(): void {
    this.#cancelIdle();
    this.#cancelStall?.();
    this.#watch?.end();
    this.#watch = undefined;
    this.#lines.length = 0;
  }
}

const who: Readonly<Record<Caller, string>> = {
  root: 'Root',
  own: 'The user of the uplink',
  agent: 'The user of the agent',
  other: 'This user',
};

function refusal(id: number, result: Result<unknown>): UplinkAnswer {
  const { code, detail } = result.ok ? { code: 'INTERNAL', detail: '' } : result.fault;
  return { id, ok: false, code, detail: detail.slice(0, 500) };
}
