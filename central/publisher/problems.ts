import { fail, type Result } from '#contracts/result.ts';
import type { Column } from './record.ts';

/** What is wrong in one place of a collection, in words; it never repeats what stands there. */
export interface RowProblem {
  readonly row: number;
  readonly column?: Column;
  readonly problem: string;
}

const mostListed = 50;

/** Gathers what is wrong with a collection: counts everything, lists the first of it. */
export class ProblemList {
  readonly #listed: string[] = [];
  #count = 0;

  add({ row, column, problem }: RowProblem): void {
    this.#count++;
    if (this.#count > mostListed) return;
    this.#listed.push(`row ${row}${column === undefined ? '' : `, ${column}`}: ${problem}`);
  }

  addRepeated(row: number, earlier: number): void {
    this.add({ row, column: 'record', problem: `row ${earlier} has the same id` });
  }

  /** COLLECTION_INVALID with the list, or undefined where nothing was wrong. */
  fault(name: string): Result<never> | undefined {
    if (this.#count === 0) return undefined;
    const more = this.#count - this.#listed.length;
    const rest = more === 0 ? [] : [`and ${more} more`];
    return fail('COLLECTION_INVALID', [name, ...this.#listed, ...rest].join('\n'));
  }
}
