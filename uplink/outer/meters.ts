import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import type { Result } from '#contracts/result.ts';
import type { UplinkLine } from '#contracts/settings/uplink.ts';
import { wall } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { parseJson } from '#runtime/parse.ts';
import { SavedBudget } from '../probes/budget.ts';
import { isOverBudget, MonthMeter, readMonth } from '../probes/month-meter.ts';

const Saved = Type.Object(
  {
    v: Type.Literal(1),
    budgets: Type.Record(Type.String({ maxLength: 16 }), SavedBudget),
    months: Type.Record(Type.String({ maxLength: 16 }), MonthMeter),
  },
  { additionalProperties: false },
);

/** What metered uplinks have cost: the month's data and what may still be spent on probes, kept over a restart. */
export class Meters {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #months: Map<string, MonthMeter>;
  readonly budgets: ReadonlyMap<string, SavedBudget>;

  /** A file that is not there or damaged begins anew: a count that is lost costs data, not traffic. */
  constructor(stateFolder: string, clock: Clock) {
    this.#file = join(stateFolder, 'meters.json');
    this.#clock = clock;
    const saved = read(this.#file);
    this.budgets = new Map(Object.entries(saved?.budgets ?? {}));
    this.#months = new Map(Object.entries(saved?.months ?? {}));
  }

  /** The counter of the device of a line now; `offset` is what a hub says that the clock is off, where one has. */
  count(line: Pick<UplinkLine, 'name'>, counter: number | undefined, offset: number | undefined): void {
    const at = wall(this.#clock.wall() + (offset ?? 0));
    const reading = { wall: at, verified: offset !== undefined, counter };
    this.#months.set(line.name, readMonth(this.#months.get(line.name), reading));
  }

  bytes(name: string): number {
    return Math.round(this.#months.get(name)?.bytes ?? 0);
  }

  isOver({ name, monthlyMegabytes }: Pick<UplinkLine, 'name' | 'monthlyMegabytes'>): boolean {
    const month = this.#months.get(name);
    return month !== undefined && isOverBudget(month, monthlyMegabytes);
  }

  /** Fault: FILE_REFUSED. */
  save(budgets: Readonly<Record<string, SavedBudget>>): Promise<Result<void>> {
    const value = { v: 1, budgets, months: Object.fromEntries(this.#months) };
    return replaceFile(this.#file, Buffer.from(`${JSON.stringify(value)}\n`), 0o600);
  }
}

function read(file: string) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const saved = parseJson(Saved, text, 'FILE_REFUSED');
  return saved.ok ? saved.value : undefined;
}
