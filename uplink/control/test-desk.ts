import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok, type Result } from '#contracts/result.ts';
import { UplinkAnswer, type UplinkStatus } from '#contracts/uplink.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Handlers } from './handlers.ts';
import { type Control, openControl } from './server.ts';

/** For tests: the control socket with handlers that write down what they were told. */
export class TestDesk {
  readonly folder = mkdtempSync(join(tmpdir(), 'checkpost-control-'));
  readonly path = join(this.folder, 'run', 'control.sock');
  readonly clock = new TestClock();
  readonly told: unknown[] = [];
  readonly listeners = new Set<() => void>();
  /** Who whoever connects is. */
  uid = 0;
  status: UplinkStatus;
  /** What a verb that changes something comes to. */
  result: () => Promise<Result<void>> = () => Promise.resolve(ok(undefined));
  readonly handlers: Handlers = {
    status: () => this.status,
    subscribe: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
    apply: (envelope) => this.#did(['apply', envelope]),
    rotate: (hub) => this.#did(['rotate', hub]),
    probe: () => {
      this.told.push(['probe']);
      return ok(undefined);
    },
    prefer: (choice) => {
      this.told.push(['prefer', choice]);
      return ok(undefined);
    },
    enrolment: (seconds) => this.#did(['enrolment', seconds]),
  };
  #control: Control | undefined;
  readonly #callers: Caller[] = [];

  constructor(status: UplinkStatus) {
    this.status = status;
  }

  #did(what: unknown): Promise<Result<void>> {
    this.told.push(what);
    return this.result();
  }

  try(): Promise<Result<Control>> {
    return openControl({
      path: this.path,
      handlers: this.handlers,
      credentialsOf: () => ok({ uid: this.uid }),
      users: () => ({ own: 642, agent: 641 }),
      clock: this.clock,
      log: silentLog,
    });
  }

  async open(): Promise<void> {
    const control = await this.try();
    if (!control.ok) throw toError(control.fault);
    this.#control = control.value;
  }

  changed(status: UplinkStatus): void {
    this.status = status;
    for (const listener of this.listeners) listener();
  }

  async call(uid = this.uid): Promise<Caller> {
    this.uid = uid;
    const socket = connect(this.path);
    await once(socket, 'connect');
    const caller = new Caller(socket);
    this.#callers.push(caller);
    return caller;
  }

  async shut(): Promise<void> {
    for (const caller of this.#callers.splice(0)) caller.socket.destroy();
    await this.#control?.close();
    this.#control = undefined;
  }

  async close(): Promise<void> {
    await this.shut();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The other end of the socket, by hand: every answer is checked by its schema. */
export class Caller {
  readonly socket: Socket;
  readonly answers: UplinkAnswer[] = [];
  closed = false;
  #held = '';
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('close', () => {
      this.closed = true;
      this.#news();
    });
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#held + text).split('\n');
      this.#held = lines.pop() ?? '';
      for (const line of lines) {
        const answer = parseJson(UplinkAnswer, line, 'UPLINK_ABSENT');
        if (!answer.ok) throw toError(answer.fault);
        this.answers.push(answer.value);
      }
      this.#news();
    });
  }

  #news(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  say(value: unknown): void {
    this.socket.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
  }

  /** The answer with this number, once it has come. */
  async answer(id: number): Promise<UplinkAnswer> {
    for (;;) {
      const found = this.answers.find((one) => one.id === id);
      if (found !== undefined) return found;
      if (this.closed) throw new Error(`it hung up without an answer ${id}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
