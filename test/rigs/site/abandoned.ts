import { Site } from './site.ts';

/** A process of its own that builds a whole site with everything started, says what it is made of, and waits to be killed. */
const site = new Site();
await site.start();
process.stdout.write(
  `${JSON.stringify({ namespaces: site.namespaces(), folder: site.folder, prefix: site.prefix, hubs: Object.keys(site.hubs) })}\n`,
);
process.stdin.resume();
