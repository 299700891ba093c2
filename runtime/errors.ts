import { type ErrorCode, errors } from '#contracts/errors.ts';
import type { Fault } from '#contracts/result.ts';

/** The only error that we throw: a code of the table, what happened here, and the cause. */
export class CheckpostError extends Error {
  override readonly name = 'CheckpostError';
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, cause?: unknown) {
    super(`${code}: ${errors[code].what} ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

export function toError(fault: Fault): CheckpostError {
  return new CheckpostError(fault.code, fault.detail, fault.cause);
}

/** A fault of whatever was thrown; what is not one of ours is INTERNAL. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof CheckpostError)
    return { code: thrown.code, detail: thrown.detail, cause: thrown.cause };
  return {
    code: 'INTERNAL',
    detail: thrown instanceof Error ? thrown.message : String(thrown),
    cause: thrown,
  };
}

/** What a person reads on a terminal: what happened, what it means, what to do. */
export function describeFault(fault: Fault): string {
  const { what, meaning, remedy } = errors[fault.code];
  return `${fault.code}: ${what}\n  ${fault.detail.replaceAll('\n', '\n  ')}\n  What it means: ${meaning}\n  What to do: ${remedy}`;
}

/** The system's error code (ENOENT …) of whatever was thrown. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
