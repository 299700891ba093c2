import { pino } from 'pino';
import type { Fault } from '#contracts/result.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Fields of a log line: plain values only, so that no document, frame or key can slip in inside an object. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * The log: one sentence and plain fields. Document numbers, names, lines of an MRZ, keys and tokens are never given to
 * it at any level; a test swipes documents at level trace and searches every line written.
 */
export interface Log {
  error(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  debug(text: string, fields?: LogFields): void;
  trace(text: string, fields?: LogFields): void;
  /** A log that adds these fields to every line: the room's name, a reader's id. */
  with(fields: LogFields): Log;
}

/** JSON lines to standard output (journald's on a terminal), or to the stream given. */
export function createLog(level: LogLevel, name: string, to?: { write(line: string): void }): Log {
  const options = { level, name, base: { name }, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  return wrap(to === undefined ? pino(options) : pino(options, to));
}

/** A log that says nothing. */
export const silentLog: Log = wrap(pino({ level: 'silent' }));

function wrap(base: ReturnType<typeof pino>): Log {
  return {
    error: (text, fields) => base.error(fields ?? {}, text),
    warn: (text, fields) => base.warn(fields ?? {}, text),
    info: (text, fields) => base.info(fields ?? {}, text),
    debug: (text, fields) => base.debug(fields ?? {}, text),
    trace: (text, fields) => base.trace(fields ?? {}, text),
    with: (fields) => wrap(base.child(fields)),
  };
}

/** The fields of a fault. */
export function faultFields(fault: Fault): LogFields {
  return { code: fault.code, detail: fault.detail };
}
