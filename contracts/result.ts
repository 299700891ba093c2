import type { ErrorCode } from './errors.ts';

/**
 * An expected failure as a value: what happened, with a stable code of the table in `errors.ts`.
 *
 * `detail` says what happened here, in words for the person who must act: which file, which setting, which address.
 * It never holds a document number, a name or a key.
 */
export interface Fault {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly cause?: unknown;
}

/** Either the value or the fault; the caller cannot reach the one without having looked for the other. */
export type Result<T, F = Fault> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: F };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail(
  code: ErrorCode,
  detail: string,
  cause?: unknown,
): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: cause === undefined ? { code, detail } : { code, detail, cause } };
}
