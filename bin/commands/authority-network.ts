import { ok } from '#contracts/result.ts';
import { setNetwork, setUrls, showNetwork } from '#provisioning/index.ts';
import type { Act, Verb } from '../verbs.ts';

/** The verbs of `checkpost authority` that say how the bureau's terminals reach the centre. */
export const networkOptions = {
  file: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'enrolment-url': { type: 'string' },
} as const;

export const networkVerbs = {
  network: {
    usage: 'checkpost authority network --dir DIR [--file FILE]',
    words: 0,
    required: ['dir'],
    optional: ['file', 'dry-run'],
  },
  urls: {
    usage: 'checkpost authority urls --dir DIR [--central-url URL] [--fleet-url URL] [--enrolment-url URL]',
    words: 0,
    required: ['dir'],
    optional: ['central-url', 'fleet-url', 'enrolment-url'],
  },
} satisfies Record<string, Verb>;

export const networkActs: Readonly<Record<keyof typeof networkVerbs, Act>> = {
  async network(args) {
    const dir = args.text('dir') ?? '';
    const file = args.text('file');
    const dryRun = args.flag('dry-run');
    const network = file === undefined ? await showNetwork({ dir }) : await setNetwork({ dir, file, dryRun });
    if (!network.ok) return network;
    const { tunnel, probes, hubs } = network.value;
    const did =
      file === undefined ? '' : dryRun ? 'It would be set:\n' : 'It is set for the bundles from now on:\n';
    const words = [
      `${did}Terminals have addresses in ${tunnel}, and in ${probes} for their probes.`,
      ...hubs.map(({ name, endpoint, address }) => `  hub ${name}  ${endpoint}  ${address}`),
    ];
    return ok({ words: words.join('\n'), json: network.value });
  },

  async urls(args) {
    const names = ['central-url', 'fleet-url', 'enrolment-url'] as const;
    const urls = Object.fromEntries(names.map((name) => [name, args.text(name)]));
    const all = await setUrls({ dir: args.text('dir') ?? '', urls });
    if (!all.ok) return all;
    const words = names.map((name) => `${name.padEnd(14)} ${all.value[name] ?? 'not set'}`);
    return ok({ words: words.join('\n'), json: all.value });
  },
};
