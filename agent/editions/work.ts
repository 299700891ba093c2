import { Worker } from 'node:worker_threads';
import { fail, type Result } from '#contracts/result.ts';
import type { Task } from './tasks.ts';

/** Does a task somewhere else than in the loop that answers look-ups. */
export type Work = (task: Task, signal: AbortSignal) => Promise<Result<void>>;

/** The same in a thread of its own; `entry` is the file of worker.ts as it ships. */
export function workIn(entry: string): Work {
  return (task, signal) =>
    new Promise((resolve) => {
      const worker = new Worker(entry, {
        workerData: task,
        // What runs away ends its own thread, not the agent.
        resourceLimits: { maxOldGenerationSizeMb: 256 },
      });
      const stop = (): void => void worker.terminate();
      const end = (result: Result<void>): void => {
        signal.removeEventListener('abort', stop);
        resolve(result);
      };
      worker.once('message', end);
      worker.once('error', (cause) => end(fail('INTERNAL', `A thread ended: ${cause.message}`, cause)));
      worker.once('exit', () => end(fail('INTERNAL', 'A thread ended before its work did.')));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
}
