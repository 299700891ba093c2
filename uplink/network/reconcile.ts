import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { type NetworkState, readNetwork } from '../tools/network-state.ts';
import { ip, step } from '../tools/tools.ts';
import { diffRouting } from './routing-diff.ts';
import type { RoutingPlan } from './routing.ts';

export interface Reconciled {
  /** What had to be changed, each as the words of `ip`; empty where all stood. */
  readonly changed: readonly string[];
  /** What stands now. */
  readonly state: NetworkState;
}

/** The kernel may refuse or add one thing while others are changed; after so many rounds something does not fit. */
const rounds = 3;

/**
 * Makes rules and routes those of the plan and looks whether they stand. `actual` is what was read just before, where
 * the caller has it. Where one command fails the others are done all the same. Faults: ROUTING_FAILED, TOOL_MISSING.
 */
export async function reconcileRouting(
  plan: RoutingPlan,
  children: Children,
  actual?: NetworkState,
): Promise<Result<Reconciled>> {
  const changed: string[] = [];
  let state = actual;
  let refused: Fault | undefined;
  for (let round = 0; round < rounds; round++) {
    if (state === undefined) {
      const read = await readNetwork(children);
      if (!read.ok) return read;
      state = read.value;
    }
    const commands = diffRouting(plan, state);
    if (commands.length === 0) return ok({ changed, state });
    refused = undefined;
    for (const command of commands) {
      const words = command.join(' ');
      const done = await step(children, 'ROUTING_FAILED', words, ip, command);
      if (done.ok) changed.push(words);
      else if (done.fault.code === 'TOOL_MISSING') return done;
      else if (!isDone(command, done.fault)) refused ??= done.fault;
    }
    state = undefined;
  }
  if (refused !== undefined) return { ok: false, fault: refused };
  const last = await readNetwork(children);
  if (!last.ok) return last;
  const [left] = diffRouting(plan, last.value);
  if (left === undefined) return ok({ changed, state: last.value });
  return fail(
    'ROUTING_FAILED',
    `${left.join(' ')}: it was done, and does not stand. Another program may undo it.`,
  );
}

/** Somebody was faster: what was to be added is there, or what was to go is gone. */
function isDone([, , verb]: readonly string[], { detail }: Fault): boolean {
  return verb === 'delete'
    ? /no such (process|file)/i.test(detail)
    : verb === 'add' && /file exists/i.test(detail);
}
