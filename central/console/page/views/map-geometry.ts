import { geoCentroid, geoMercator, type GeoProjection } from 'd3-geo';
import type { SiteRow } from '#contracts/api/fleet.ts';

/** Points and sizes are in pixels of the map as it stands on the screen. */
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
/** How the map is moved and enlarged: a point `p` of the whole map stands at `p * zoom + (x, y)`. */
export interface View extends Point {
  readonly zoom: number;
}
export const wholeView: View = { zoom: 1, x: 0, y: 0 };

const margin = 28;
const mostZoom = 60;

/** Enlarged around a point, which stays where it is. */
export function zoomed({ zoom, x, y }: View, factor: number, at: Point): View {
  const next = Math.min(mostZoom, Math.max(1, zoom * factor));
  const ratio = next / zoom;
  return next === 1 ? wholeView : { zoom: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio };
}

/** A projection that shows all of these sites and some land around them. */
export function fitted(sites: readonly SiteRow[], { width, height }: Size): GeoProjection {
  const places = sites.flatMap(({ latitude, longitude }) =>
    latitude === null || longitude === null ? [] : [[longitude, latitude]],
  );
  const projection = geoMercator();
  if (places.length === 0) {
    return projection.scale(width / 7).translate([width / 2, height / 2 + height / 8]);
  }
  const all = { type: 'MultiPoint', coordinates: places } as const;
  const edge = Math.min(margin, width / 4, height / 4);
  projection.fitExtent(
    [
      [edge, edge],
      [width - edge, height - edge],
    ],
    all,
  );
  // One site, or a few close ones, must not fill the screen with a single street.
  const most = Math.max(width, height) * 3;
  if (!(projection.scale() <= most))
    projection
      .scale(most)
      .center(geoCentroid(all))
      .translate([width / 2, height / 2]);
  return projection;
}

/** A dot as it is drawn: on the whole map, without its view. */
export interface Dot extends Point {
  readonly radius: number;
}

/** The dot beneath a point, the last drawn first, within the reach of a finger; undefined where there is none. */
export function dotAt<D extends Dot>(dots: readonly D[], view: View, at: Point): D | undefined {
  const reach = 6;
  let nearest: D | undefined;
  let least = Infinity;
  for (const dot of dots) {
    const away = Math.hypot(dot.x * view.zoom + view.x - at.x, dot.y * view.zoom + view.y - at.y);
    if (away > dot.radius + reach || away > least) continue;
    nearest = dot;
    least = away;
  }
  return nearest;
}
