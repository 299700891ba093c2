import type { Result } from '#contracts/result.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { AlertEngine, type AlertEngineParts } from './engine.ts';
import { Notifier, type NotifierParts } from './notifier.ts';

export type AlertTaskParts = Omit<AlertEngineParts, 'onTold' | 'settings'> &
  NotifierParts & { readonly settings: AlertSettings };

/** What the leader alone does: makes alerts of troubles, and tells people. Started when the lead is won, stopped when it is lost. */
export class AlertTask {
  readonly #engine: AlertEngine;
  readonly #notifier: Notifier;

  constructor(parts: AlertTaskParts) {
    this.#notifier = new Notifier(parts);
    this.#engine = new AlertEngine({ ...parts, onTold: () => this.#notifier.wake() });
  }

  start(): void {
    this.#engine.start();
    this.#notifier.start();
  }

  /** One pass now, over all terminals or what was announced. Faults: those of the database and of the source. */
  reconcile(everything = false): Promise<Result<void>> {
    return this.#engine.reconcile(everything);
  }

  /** Sends what is to be sent now; resolves when that is done. */
  send(): Promise<void> {
    return this.#notifier.run();
  }

  async stop(): Promise<void> {
    await this.#engine.stop();
    await this.#notifier.stop();
  }
}
