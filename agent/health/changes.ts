import type { HealthReport } from '#contracts/health.ts';

/**
 * The sections of `now` that are worth a message to a centre that knows `sent`: on a metered line every message costs.
 * Figures that wander (load, memory, disk, temperature) count when they have moved by a step that somebody would act
 * upon; uptime and the number of entries move always and go with a full report.
 */
export function changedSections(sent: HealthReport, now: HealthReport): Partial<HealthReport> {
  const changed: Partial<HealthReport> = {};
  for (const section of Object.keys(worth) as (keyof HealthReport)[]) {
    if (worth[section](sent, now)) Object.assign(changed, { [section]: now[section] });
  }
  return changed;
}

type Comparison = (sent: HealthReport, now: HealthReport) => boolean;

const differs =
  (section: keyof HealthReport): Comparison =>
  (sent, now) =>
    JSON.stringify(sent[section]) !== JSON.stringify(now[section]);

const never: Comparison = () => false;

const worth: Readonly<Record<keyof HealthReport, Comparison>> = {
  versions: differs('versions'),
  uptime: never,
  load: (sent, now) => Math.abs(sent.load.one - now.load.one) >= 0.5 * now.load.cpus,
  memory: (sent, now) =>
    moved(sent.memory.availableBytes, now.memory.availableBytes, now.memory.totalBytes / 10) ||
    moved(sent.memory.agentBytes, now.memory.agentBytes, 33_554_432),
  disk: (sent, now) => moved(sent.disk.freeBytes, now.disk.freeBytes, now.disk.totalBytes / 50),
  temperature: (sent, now) =>
    (sent.temperature === null) !== (now.temperature === null) ||
    moved(sent.temperature?.celsius ?? 0, now.temperature?.celsius ?? 0, 5),
  clock: (sent, now) =>
    sent.clock.state !== now.clock.state ||
    (sent.clock.offsetMillis === null) !== (now.clock.offsetMillis === null) ||
    moved(sent.clock.offsetMillis ?? 0, now.clock.offsetMillis ?? 0, 1000),
  readers: differs('readers'),
  edition: differs('edition'),
  outbox: (sent, now) =>
    (sent.outbox.depth === 0) !== (now.outbox.depth === 0) ||
    moved(sent.outbox.depth, now.outbox.depth, Math.max(10, sent.outbox.depth / 10)),
  audit: never,
  uplink: (sent, now) => actedUpon(sent.uplink) !== actedUpon(now.uplink),
  conditions: differs('conditions'),
};

function moved(sent: number, now: number, step: number): boolean {
  return Math.abs(sent - now) >= step;
}

/** Of the uplinks: who carries, how each is, whether its data is used up. Loss and delay wander all day. */
function actedUpon(uplink: HealthReport['uplink']): string {
  if (uplink === null) return '';
  const lines = uplink.uplinks.map(({ name, state, overBudget }) => [name, state, overBudget]);
  return JSON.stringify([uplink.state, uplink.uplink, uplink.hub, lines]);
}
