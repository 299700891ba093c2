import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { reconcileRouting } from './reconcile.ts';
import type { RoutingPlan } from './routing.ts';

const plan: RoutingPlan = {
  mark: 1000,
  rules: [{ family: 4, priority: 700, fwmark: 1000, table: 1000 }],
  routes: [{ family: 4, table: 1000, type: 'unreachable', destination: 'default', metric: 65_000 }],
};
const addRoute = '-4 route replace unreachable default metric 65000 table 1000';
const addRule = '-4 rule add priority 700 fwmark 1000 table 1000';
const defaults = [
  { priority: 0, src: 'all', table: '255' },
  { priority: 32_766, src: 'all', table: '254' },
  { priority: 32_767, src: 'all', table: '253' },
];

/** A kernel (without IPv6) that keeps what it is told, unless the command is answered otherwise. */
function kernel(answers: Readonly<Record<string, Result<string>>> = {}): {
  children: Children;
  runs: string[];
} {
  const routes: object[] = [];
  const rules: object[] = [...defaults];
  const runs: string[] = [];
  const children: Children = {
    run(_tool, args) {
      const line = args.join(' ');
      if (line.startsWith('-N -6'))
        return Promise.resolve(fail('TOOL_FAILED', 'Address family not supported'));
      if (line === '-N -4 -json rule') return Promise.resolve(ok(JSON.stringify(rules)));
      if (line.startsWith('-N -4')) return Promise.resolve(ok(JSON.stringify(routes)));
      if (line.startsWith('-json')) return Promise.resolve(ok(''));
      runs.push(line);
      const answer = answers[line];
      if (answer === undefined && line === addRoute)
        routes.push({ type: '7', dst: 'default', table: '1000', metric: 65_000 });
      if (answer === undefined && line === addRule)
        rules.push({ priority: 700, src: 'all', fwmark: '0x3e8', table: '1000' });
      return Promise.resolve(answer ?? ok(''));
    },
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  return { children, runs };
}

test('What is missing is set, looked at again, and told; a second time there is nothing to do', async () => {
  const { children, runs } = kernel();
  const first = await reconcileRouting(plan, children);
  expect(first).toMatchObject({ ok: true, value: { changed: [addRoute, addRule] } });
  expect(await reconcileRouting(plan, children)).toMatchObject({ ok: true, value: { changed: [] } });
  expect(runs).toHaveLength(2);
});

test('A command that fails does not keep the others from being done, and is the fault with its words', async () => {
  const refused = fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: Operation not permitted');
  const { children, runs } = kernel({ [addRoute]: refused });
  const done = await reconcileRouting(plan, children);
  expect(done).toMatchObject({ ok: false, fault: { code: 'ROUTING_FAILED' } });
  expect(done.ok ? '' : done.fault.detail).toContain(addRoute);
  expect(done.ok ? '' : done.fault.detail).toContain('CAP_NET_ADMIN');
  expect(runs).toContain(addRule);
});

test('What is there already, since somebody was faster, is no fault by itself, but what never comes to stand is one', async () => {
  const { children, runs } = kernel({ [addRule]: fail('TOOL_FAILED', 'RTNETLINK answers: File exists') });
  const done = await reconcileRouting(plan, children);
  expect(done.ok ? '' : done.fault.detail).toContain('does not stand');
  // So many rounds and no more: nobody turns in circles against another program.
  expect(runs.filter((line) => line === addRule)).toHaveLength(3);
});

test('A tool that is missing or hangs ends it at once', async () => {
  const missing = fail('TOOL_MISSING', 'ip is not installed; the package is iproute2.');
  expect(await reconcileRouting(plan, kernel({ [addRoute]: missing }).children)).toEqual(missing);
  const hung: Children = {
    ...kernel().children,
    run: () => Promise.resolve(fail('TOOL_FAILED', 'ip did not end within 5000 ms.')),
  };
  expect(await reconcileRouting(plan, hung)).toMatchObject({ ok: false, fault: { code: 'ROUTING_FAILED' } });
});
