import { beforeEach, describe, expect, test } from 'vitest';
import {
  alertOf,
  centreState,
  commandRow,
  eventOf,
  hitRow,
  maintenanceOf,
  siteRow,
  terminalRow,
  waveOf,
} from '#test/rigs/made-up-rows.ts';
import { FleetData } from './fleet.ts';

let waiting: (() => void)[];
let data: FleetData;
let told: number;

beforeEach(() => {
  waiting = [];
  told = 0;
  data = new FleetData((action) => waiting.push(action));
  data.subscribe(() => told++);
});

const draw = (): void => {
  for (const action of waiting.splice(0)) action();
};
const snapshot = () => ({
  sites: [siteRow('UTO-0001')],
  terminals: [terminalRow('UTO-0001')],
  alerts: [alertOf(1, 'UTO-0001')],
  maintenance: [maintenanceOf(1, { layer: 'fleet' })],
  centre: centreState(),
});

describe('what the page knows of the fleet', () => {
  test('many changes are told once, and the next ones again', () => {
    for (let n = 0; n < 500; n++) data.take('terminal', terminalRow('UTO-0001', { owed: n }));
    expect(waiting).toHaveLength(1);
    expect(told).toBe(0);
    draw();
    expect(told).toBe(1);
    expect(data.terminals.get('UTO-0001-1')?.owed).toBe(499);
    data.take('centre', centreState());
    draw();
    expect(told).toBe(2);
  });

  test('whoever has stopped listening is told nothing', () => {
    let heard = 0;
    const stop = data.subscribe(() => heard++);
    stop();
    data.take('centre', centreState());
    draw();
    expect([heard, told]).toEqual([0, 1]);
  });

  test('a row replaces the one before, and an alert that is closed goes away', () => {
    data.take('alert', alertOf(1, 'UTO-0001'));
    data.take('alert', alertOf(1, 'UTO-0001', { times: 2 }));
    expect([...data.alerts.values()]).toMatchObject([{ times: 2 }]);
    data.take('alert', alertOf(1, 'UTO-0001', { state: 'closed' }));
    expect(data.alerts.size).toBe(0);
  });

  test('a new whole replaces everything, and whoever asked for more is to ask anew', () => {
    data.take('terminal', terminalRow('UTO-0009'));
    data.add('hit', [hitRow(1, 'UTO-0009')]);
    data.take('command', commandRow(1, 'UTO-0009'));
    data.take('wave', waveOf(1));
    data.take('event', eventOf(1, 'UTO-0009'));
    const { epoch, version } = data;
    data.replace(snapshot());
    expect([...data.terminals.keys()]).toEqual(['UTO-0001-1']);
    expect([data.hits.size, data.commands.size, data.waves.size, data.events.size]).toEqual([0, 0, 0, 0]);
    expect([data.alerts.size, data.maintenance.size, data.centre?.version]).toEqual([1, 1, '0.1.0']);
    expect(data.epoch).toBe(epoch + 1);
    expect(data.version).toBeGreaterThan(version);
  });

  test('what somebody knew is forgotten before somebody else may sign in', () => {
    data.replace(snapshot());
    data.add('hit', [hitRow(1, 'UTO-0001')]);
    data.forget();
    const { sites, terminals, alerts, maintenance, hits, centre } = data;
    expect([sites.size, terminals.size, alerts.size, maintenance.size, hits.size, centre]).toEqual([
      0,
      0,
      0,
      0,
      0,
      undefined,
    ]);
  });

  test('of what only grows the newest are kept, in whatever order they come', () => {
    const ids = Array.from({ length: 5000 }, (_, n) => ((n * 37) % 5000) + 1);
    for (const id of ids) data.take('event', eventOf(id, 'UTO-0001'));
    expect(data.events.size).toBeLessThanOrEqual(400);
    const newest = [...data.events.keys()].sort((a, b) => b - a).slice(0, 200);
    expect(newest).toEqual(Array.from({ length: 200 }, (_, n) => 5000 - n));
  });

  test('a terminal knows its site, and a site its terminals', () => {
    data.replace(snapshot());
    expect(data.siteOf('UTO-0001-1')?.name).toBe('Crossing UTO-0001');
    expect(data.siteOf('UTO-0009-1')).toBeUndefined();
    expect(data.terminalsOf('UTO-0001').map(({ terminal }) => terminal)).toEqual(['UTO-0001-1']);
  });
});
