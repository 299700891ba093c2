/**
 * Units in the type: a timeout cannot be given a timestamp, nor a wall time a monotonic one. The brands exist for the
 * compiler only; at run time each is a plain number.
 */
declare const unit: unique symbol;

/** A span of time in milliseconds. */
export type Millis = number & { readonly [unit]: 'ms' };
/** A span of time in seconds. */
export type Seconds = number & { readonly [unit]: 's' };
/** An amount of storage in bytes. */
export type Bytes = number & { readonly [unit]: 'B' };
/** Wall-clock time, milliseconds since 1970-01-01 UTC, as a clock says it: it may be wrong and may go backwards. */
export type WallTime = number & { readonly [unit]: 'wall ms' };
/** Milliseconds since the machine was booted: never goes backwards, means nothing on another machine or boot. */
export type MonotonicTime = number & { readonly [unit]: 'monotonic ms' };

export const ms = (n: number): Millis => n as Millis;
export const seconds = (n: number): Seconds => n as Seconds;
export const bytes = (n: number): Bytes => n as Bytes;
export const wall = (n: number): WallTime => n as WallTime;
export const monotonic = (n: number): MonotonicTime => n as MonotonicTime;
