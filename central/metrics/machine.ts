import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { CertificateFigure, ProcessFigures } from './sources.ts';

/** How often the event loop is looked at, in milliseconds. */
const resolution = 10;

/** Looks at this process from now on, until `close`. */
export function watchProcess(): { figures(): ProcessFigures; close(): void } {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const startedAt = Date.now() / 1000 - process.uptime();
  return {
    figures() {
      const { rss, heapUsed } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      // What it measures holds its own pause.
      const late = delay.count === 0 ? 0 : delay.percentile(99) / 1e9 - resolution / 1000;
      delay.reset();
      return {
        residentBytes: rss,
        heapUsedBytes: heapUsed,
        cpuSeconds: (user + system) / 1e6,
        lagP99Seconds: Math.max(0, late),
        startedAt,
      };
    },
    close: () => void delay.disable(),
  };
}

/** When certificates expire, by their use; of a file with several the first, which is the centre's own. Throws where one cannot be read. */
export function certificateFigures(files: Readonly<Record<string, string | undefined>>): CertificateFigure[] {
  return Object.entries(files).flatMap(([use, file]) =>
    file === undefined
      ? []
      : [{ use, expires: Date.parse(new X509Certificate(readFileSync(file)).validTo) / 1000 }],
  );
}
