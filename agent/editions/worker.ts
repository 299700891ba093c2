import { parentPort, workerData } from 'node:worker_threads';
import { fail } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';
import { perform, type Task } from './tasks.ts';

/** The thread that does one task of tasks.ts and ends; work.ts starts it. */
function outcome() {
  try {
    const done = perform(workerData as Task);
    return done.ok ? done : fail(done.fault.code, done.fault.detail);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      return fail('STORE_FULL', 'There is no space for a new base.');
    if (code !== undefined) return fail('FILE_REFUSED', `A file of the edition was refused (${code}).`);
    return fail('INTERNAL', thrown instanceof Error ? thrown.message : 'unknown');
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(outcome());
