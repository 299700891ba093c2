import { defineConfig } from 'vitest/config';

// Three projects, by what a test needs: `unit` stands beside its source and needs nothing but Node; `integration`
// uses real parts (pty, broker, SQLite, certificates) as processes; `browser` drives the pages in real Chromium.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Some go through every byte of a file; a loaded machine takes its time for that.
          testTimeout: 30_000,
          include: [
            '{contracts,formats,runtime,agent,uplink,central,provisioning,firmware-config,systemd,bin,bench,test/architecture,test/rigs}/**/*.test.ts',
          ],
          exclude: ['**/*.rig.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{agent,uplink,central,provisioning,firmware-config,systemd,bin,test}/**/*.rig.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
