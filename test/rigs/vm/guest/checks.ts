import { say } from './say.ts';

/** Runs one check after the other; one that throws is said to have failed, and the next begins. */
export async function runChecks(checks: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  for (const [check, run] of Object.entries(checks)) {
    try {
      await run();
    } catch (thrown) {
      say({ check, failed: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
}
