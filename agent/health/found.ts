import type { ConditionCode } from '#contracts/conditions.ts';

/** A condition that stands, and what it concerns where there can be several of a kind. */
export interface Found {
  readonly code: ConditionCode;
  readonly subject?: string;
}
