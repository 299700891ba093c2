import { describe, expect, test } from 'vitest';
import { siteRow } from '#test/rigs/made-up-rows.ts';
import { dotAt, fitted, wholeView, zoomed } from './map-geometry.ts';
import { outlineOf } from './map-land.ts';

const size = { width: 500, height: 300 };
const at = (latitude: number | null, longitude: number | null) =>
  siteRow('UTO-0001', { latitude, longitude });

describe('the map', () => {
  test('shows all sites with some land around them', () => {
    const projection = fitted([at(37, 52), at(51, 79), at(null, null)], size);
    for (const [x = -1, y = -1] of [projection([52, 37]) ?? [], projection([79, 51]) ?? []]) {
      expect(x).toBeGreaterThanOrEqual(20);
      expect(x).toBeLessThanOrEqual(480);
      expect(y).toBeGreaterThanOrEqual(20);
      expect(y).toBeLessThanOrEqual(280);
    }
  });

  test('a single site stands in the middle, and not of a single street', () => {
    const projection = fitted([at(41, 65)], size);
    expect(projection([65, 41])?.map(Math.round)).toEqual([250, 150]);
    const [x = 0] = projection([66, 41]) ?? [];
    expect(x - 250).toBeLessThan(60);
  });

  test('without any site, and in a window of no size, there is a map all the same', () => {
    for (const projection of [fitted([], size), fitted([at(41, 65)], { width: 1, height: 1 })])
      expect(projection([0, 0])?.every(Number.isFinite)).toBe(true);
  });

  test('is enlarged around the point that is pointed at, within bounds, and comes back whole', () => {
    const point = { x: 100, y: 50 };
    const closer = zoomed(wholeView, 2, point);
    expect([point.x * closer.zoom - 100, closer.x]).toEqual([100, -100]);
    expect(zoomed(closer, 1e9, point).zoom).toBe(60);
    expect(zoomed(closer, 1e-9, point)).toEqual(wholeView);
  });

  test('finds the nearest dot beneath a finger as it stands on the screen', () => {
    const dots = [
      { x: 10, y: 10, radius: 5 },
      { x: 20, y: 10, radius: 5 },
    ];
    expect(dotAt(dots, wholeView, { x: 18, y: 11 })).toBe(dots[1]);
    expect(dotAt(dots, wholeView, { x: 60, y: 60 })).toBeUndefined();
    expect(dotAt(dots, { zoom: 3, x: -10, y: 0 }, { x: 20, y: 30 })).toBe(dots[0]);
  });

  test('draws the land in sight and leaves out the rest', () => {
    const square = (west: number, south: number) => {
      const [east, north] = [west + 4, south + 4];
      return {
        west,
        south,
        east,
        north,
        rings: [
          [
            [west, south],
            [east, south],
            [east, north],
            [west, south],
          ],
        ],
      };
    };
    const projection = fitted([at(37, 52), at(51, 79)], size);
    const here = outlineOf([square(60, 40)], projection, size);
    expect(here).toMatch(/^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)+Z$/);
    expect(outlineOf([square(60, 40), square(-100, -40)], projection, size)).toBe(here);
    // The poles lie infinitely far away.
    expect(outlineOf([square(60, -94)], fitted([], size), size)).not.toContain('Infinity');
  });
});
