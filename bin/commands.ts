import type { Command } from './command.ts';

/** Every subcommand, in the order of the list; each is loaded only when it is called. */
export const commands: Readonly<
  Record<string, { summary: string; load: () => Promise<{ command: Command }> }>
> = {
  agent: { summary: 'run the terminal’s agent', load: () => import('./commands/agent.ts') },
  central: {
    summary: 'run the centre: lookups, controller, console',
    load: () => import('./commands/central.ts'),
  },
  account: { summary: 'keep the accounts of operators', load: () => import('./commands/account.ts') },
  uplink: { summary: 'bring the tunnel up and keep it', load: () => import('./commands/uplink.ts') },
  'clock-floor': {
    summary: 'set the clock up to the last verified time',
    load: () => import('./commands/clock-floor.ts'),
  },
  hub: { summary: 'run a hub: the centre’s end of the tunnels', load: () => import('./commands/hub.ts') },
  demo: {
    summary: 'run a centre, a terminal and a simulated reader here',
    load: () => import('./commands/demo.ts'),
  },
  status: { summary: 'say how this terminal is', load: () => import('./commands/status.ts') },
  readers: {
    summary: 'list passport readers, find the settings of an unknown one',
    load: () => import('./commands/readers.ts'),
  },
  simulate: {
    summary: 'play a passport reader, or a fleet of terminals',
    load: () => import('./commands/simulate.ts'),
  },
  document: { summary: 'read MRZ lines from standard input', load: () => import('./commands/document.ts') },
  edition: {
    summary: 'make and describe editions of a collection',
    load: () => import('./commands/edition.ts'),
  },
  audit: { summary: 'verify the tamper-evident record', load: () => import('./commands/audit.ts') },
  authority: { summary: 'keys and certificates of a fleet', load: () => import('./commands/authority.ts') },
  site: { summary: 'add sites and make their bundles', load: () => import('./commands/site.ts') },
  enrol: { summary: 'enrol this terminal from a bundle', load: () => import('./commands/enrol.ts') },
};
