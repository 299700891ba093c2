import type { HealthReport } from '#contracts/health.ts';
import type { MetricItem } from '#contracts/outbox.ts';
import { wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import type { WriteTx } from '../../store/index.ts';
import type { Presence } from '../ingest/presence.ts';
import { levels, lineOf, single, type Values } from './lines.ts';

/** Keeps what a health message measured, at the time of its arrival; called in the transaction that takes it. */
export async function recordHealth(
  tx: WriteTx,
  terminal: string,
  now: string,
  before: Presence,
  report: Partial<HealthReport>,
): Promise<void> {
  await record(tx, terminal, { at: now, now }, valuesOf(report, before.health));
}

/** Keeps what a terminal measured while it had no link, at the time that it says; it can only fill what is past. */
export async function recordItem(
  tx: WriteTx,
  terminal: string,
  now: string,
  { at, samples }: MetricItem,
): Promise<void> {
  if (at > now || Date.parse(now) - Date.parse(at) > levels[1].keep * 1000) return;
  await record(tx, terminal, { at: instant(wall(Date.parse(at))), now }, samples);
}

/** Keeps values of a moment; what belongs to a block that is rolled up already is rolled up again. */
export async function record(
  tx: WriteTx,
  terminal: string,
  { at, now }: { readonly at: string; readonly now: string },
  values: Values,
): Promise<void> {
  if (Object.keys(values).length === 0) return;
  const [{ step, block }] = levels;
  const seconds = Math.floor(Date.parse(at) / 1000);
  const start = seconds - (seconds % block);
  const line = lineOf(Math.floor((seconds - start) / step), single(values));
  await append(tx, { level: 0, terminal, start, isLate: Date.parse(now) / 1000 - start > block }, line);
}

interface Place {
  readonly level: number;
  readonly terminal: string;
  /** Beginning of the block in Unix seconds. */
  readonly start: number;
  /** The block may have been rolled up already. */
  readonly isLate: boolean;
}

export async function append(
  tx: WriteTx,
  { level, terminal, start, isLate }: Place,
  lines: string,
): Promise<void> {
  await tx.run(
    `INSERT INTO samples (level, terminal, block, rolled, data) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (level, terminal, block) DO UPDATE SET data = samples.data || excluded.data`,
    level,
    terminal,
    start,
    // There is no level above the last.
    level === levels.length - 1 ? 1 : 0,
    lines,
  );
  if (!isLate || level === levels.length - 1) return;
  await tx.run(
    'UPDATE samples SET rolled = 0 WHERE level = ? AND terminal = ? AND block = ? AND rolled = 1',
    level,
    terminal,
    start,
  );
}

/** What a report measured. Counters become the difference to the report before. */
function valuesOf(report: Partial<HealthReport>, before: Partial<HealthReport>): Values {
  const { uplink, memory, load, temperature, disk, clock, outbox } = report;
  const line = uplink?.uplinks.find(({ name }) => name === uplink.uplink);
  return withoutNull({
    'uplink-delay': line?.delayMillis,
    'uplink-loss': line?.loss,
    memory: memory?.agentBytes,
    'memory-available': memory?.availableBytes,
    load: load?.one,
    temperature: temperature?.celsius,
    'disk-free': disk?.freeBytes,
    'clock-offset': clock?.offsetMillis,
    outbox: outbox?.depth,
    ...countsOf(report, before),
    ...trafficOf(report, before),
  });
}

function countsOf(report: Partial<HealthReport>, before: Partial<HealthReport>): Values {
  const { counts } = report;
  if (counts === undefined || before.counts === undefined) return {};
  const restarted = isLess(report.uptime?.agentSeconds, before.uptime?.agentSeconds);
  const was = before.counts;
  const since = (name: keyof typeof counts): number => difference(counts[name], was[name], restarted);
  return {
    reads: since('frames'),
    hits: since('hit') + since('possible'),
    unresolved: since('unresolved'),
    unreadable: since('unreadable'),
  };
}

function trafficOf(report: Partial<HealthReport>, before: Partial<HealthReport>): Values {
  const { traffic } = report;
  const was = before.traffic;
  if (traffic === undefined || traffic === null || was === undefined || was === null) return {};
  const restarted = isLess(report.uptime?.systemSeconds, before.uptime?.systemSeconds);
  return {
    sent: difference(traffic.sentBytes, was.sentBytes, restarted),
    received: difference(traffic.receivedBytes, was.receivedBytes, restarted),
  };
}

/** A counter that went back began again from 0. */
function difference(now: number, before: number, restarted: boolean): number {
  return restarted || now < before ? now : now - before;
}

function isLess(now: number | undefined, before: number | undefined): boolean {
  return now !== undefined && before !== undefined && now < before;
}

function withoutNull(values: Readonly<Record<string, number | null | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );
}
