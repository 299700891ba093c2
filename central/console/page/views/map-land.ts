import type { GeoProjection } from 'd3-geo';
import { useEffect, useState } from 'preact/hooks';
import { feature } from 'topojson-client';
import type { Size } from './map-geometry.ts';

type Topology = Parameters<typeof feature>[0];
type Position = readonly number[];

/** One piece of land with the degrees that it lies within. */
export interface Piece {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
  readonly rings: readonly (readonly Position[])[];
}

/** The borders, fetched once the page stands; undefined until then. */
export function useLand(): readonly Piece[] | undefined {
  const [land, setLand] = useState<readonly Piece[] | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    void import('world-atlas/countries-50m.json?raw')
      .then(({ default: text }) => {
        if (wanted) setLand(piecesOf(JSON.parse(text) as Topology));
      })
      // Without borders the sites still stand where they are.
      .catch(() => {});
    return () => {
      wanted = false;
    };
  }, []);
  return land;
}

export function piecesOf(atlas: Topology): readonly Piece[] {
  const countries = atlas.objects['countries'];
  if (countries === undefined) return [];
  const found = feature(atlas, countries);
  const features = found.type === 'FeatureCollection' ? found.features : [found];
  return features.flatMap(({ geometry }) => {
    if (geometry.type === 'Polygon') return [pieceOf(geometry.coordinates)];
    return geometry.type === 'MultiPolygon' ? geometry.coordinates.map(pieceOf) : [];
  });
}

function pieceOf(rings: readonly (readonly Position[])[]): Piece {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [longitude = 0, latitude = 0] of rings[0] ?? []) {
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
  }
  return { west, south, east, north, rings };
}

/** Poles are infinitely far away on a Mercator map. */
const mostLatitude = 84;

/**
 * The borders as the path of an SVG: point by point, since they end at the 180th meridian by themselves and lines so short
 * need no bending, and without what lies outside of the window and its surroundings. The whole world by way of the
 * library's clipping takes half a second on a small machine.
 */
export function outlineOf(land: readonly Piece[], projection: GeoProjection, size: Size): string {
  const { width, height } = size;
  const [west, north] = projection.invert?.([-width, -height]) ?? [-180, 90];
  const [east, south] = projection.invert?.([2 * width, 2 * height]) ?? [180, -90];
  // A window that is wider than the world has its edges anywhere.
  const all = !(west < east) || projection.scale() * 2 * Math.PI < 3 * width;
  const seen = land.filter(
    (piece) => all || (piece.west < east && piece.east > west && piece.south < north && piece.north > south),
  );
  return seen.flatMap(({ rings }) => rings.map((ring) => lineOf(ring, projection))).join('');
}

/** To tenths of a pixel; `toFixed` alone would be most of the work. */
const rounded = (value: number): number => Math.round(value * 10) / 10;

function lineOf(ring: readonly Position[], projection: GeoProjection): string {
  let line = '';
  let [lastX, lastY] = [NaN, NaN];
  for (const [longitude = 0, latitude = 0] of ring) {
    const at = projection([longitude, Math.max(-mostLatitude, Math.min(mostLatitude, latitude))]);
    if (at === null) continue;
    const [x, y] = [rounded(at[0]), rounded(at[1])];
    if (x === lastX && y === lastY) continue;
    line += `${line === '' ? 'M' : 'L'}${x} ${y}`;
    [lastX, lastY] = [x, y];
  }
  return line === '' ? '' : `${line}Z`;
}
