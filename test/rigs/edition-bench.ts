import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { keyOf, recordOf, type TestRecord, TestRepository } from './edition-repository.ts';
import { openTerminal, stickOf } from './edition-terminal.ts';
import type { EditionEvent, Editions } from '#agent/editions/index.ts';

/** A bureau's repository and a terminal that takes its editions from there, both new for each test. */
export class EditionBench {
  folder = '';
  repository = new TestRepository('');
  terminal: Editions | undefined;
  events: EditionEvent[] = [];

  constructor() {
    beforeEach(() => {
      this.folder = mkdtempSync(join(tmpdir(), 'checkpost-editions-'));
      this.repository = new TestRepository(this.at('repository'));
      this.events = [];
    });
    afterEach(async () => {
      await this.terminal?.close();
      this.terminal = undefined;
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  at = (...names: string[]): string => join(this.folder, ...names);

  open = async ({ percent, secret }: { percent?: number; secret?: TestRepository['secret'] } = {}) => {
    await this.terminal?.close();
    this.terminal = await openTerminal(
      this.at('terminal'),
      { root: this.repository.root, secret: secret ?? this.repository.secret },
      {
        now: () => this.repository.now,
        events: this.events,
        ...(percent !== undefined && { percent }),
      },
    );
    return this.terminal;
  };

  renew = (from = this.at('repository')): Promise<void> =>
    (this.terminal as Editions).renew(stickOf(from, this.at('terminal')));

  /** What the edition in use says of a number: kinds of loss, sorted; undefined where nobody can say. */
  kinds = (number: string): string[] | undefined => {
    const found = this.terminal?.current()?.search(keyOf(number));
    return found?.ok === true ? found.value.map(({ kindOfLoss }) => kindOfLoss).sort() : undefined;
  };

  edition = (): number | undefined => this.terminal?.current()?.describe().version;

  refusals = (): string[] =>
    this.events.flatMap((event) => (event.kind === 'edition-refused' ? event.fault.code : []));
}

export function numbers(count: number, letter = 'N'): TestRecord[] {
  return Array.from({ length: count }, (_, i) => recordOf(`${letter}${String(i).padStart(7, '0')}`));
}
