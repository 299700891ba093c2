import type { Children, Tool } from '#runtime/child.ts';

const ip: Tool = { name: 'ip', package: 'iproute2' };

/** Runs every program inside a network namespace, as a process would that lives there. Needs root. */
export function netnsChildren(netns: string, children: Children): Children {
  const inside = (tool: Tool, args: readonly string[]): string[] => [
    'netns',
    'exec',
    netns,
    tool.name,
    ...args,
  ];
  return {
    run: (tool, args, options) => children.run(ip, inside(tool, args), options),
    start: (tool, args, options) => children.start(ip, inside(tool, args), options),
  };
}
