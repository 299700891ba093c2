import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { SiteRow } from '#contracts/api/fleet.ts';
import { rankOf, type SiteState, type Trouble, troubleWords, troubles } from '../data/trouble.ts';
import {
  type Dot,
  dotAt,
  fitted,
  type Point,
  type Size,
  type View,
  wholeView,
  zoomed,
} from './map-geometry.ts';
import { outlineOf, useLand } from './map-land.ts';

interface FleetMapProps {
  readonly sites: readonly SiteState[];
  /** What the map shows when it is opened: it stays while these are the same. */
  readonly around: readonly SiteRow[];
  readonly open: (site: string) => void;
}

type SiteDot = Dot & { readonly state: SiteState };

/** A press that moves farther than so many pixels moves the map and opens nothing. */
const slip = 4;

const colours: Record<Trouble, { readonly fill: string; readonly edge: string; readonly radius: number }> = {
  error: { fill: '#a80f1e', edge: '#fff', radius: 7 },
  offline: { fill: '#000', edge: '#fff', radius: 7 },
  suspect: { fill: '#6a3fb5', edge: '#fff', radius: 6 },
  warning: { fill: '#ffb000', edge: '#5a4300', radius: 6 },
  never: { fill: '#fff', edge: '#44505c', radius: 5 },
  none: { fill: '#0f6b3a', edge: '#fff', radius: 4.5 },
};

/**
 * Sites on a map that comes with the page: no tile server is asked. The dots are one canvas, so that thousands cost little;
 * whoever cannot see or point at them has the same in the list beside the map.
 */
export function FleetMap({ sites, around, open }: FleetMapProps) {
  const frame = useRef<HTMLElement>(null);
  const size = useSize(frame);
  const land = useLand();
  const projection = useMemo(() => fitted(around, size), [around, size]);
  const outline = useMemo(
    () => (land === undefined ? '' : outlineOf(land, projection, size)),
    [land, projection, size],
  );
  const dots = useMemo(() => dotsOf(sites, projection), [sites, projection]);
  const [view, setView] = useState(wholeView);
  const [pointed, setPointed] = useState<SiteDot | undefined>(undefined);
  const press = useRef<{ at: Point; far: number } | undefined>(undefined);
  useEffect(() => setView(wholeView), [projection]);
  const middle = { x: size.width / 2, y: size.height / 2 };
  const missing = useMemo(() => around.filter(({ latitude }) => latitude === null).length, [around]);
  const borders = useMemo(
    () => <path class="land" d={outline} vector-effect="non-scaling-stroke" />,
    [outline],
  );
  return (
    <section class="map" aria-label="Map" ref={frame}>
      <svg aria-hidden="true">
        <g transform={`translate(${view.x} ${view.y}) scale(${view.zoom})`}>{borders}</g>
      </svg>
      <Dots
        dots={dots}
        size={size}
        view={view}
        wheel={(event) => {
          event.preventDefault();
          setView((before) => zoomed(before, event.deltaY < 0 ? 1.25 : 0.8, pointOf(event)));
        }}
        down={(event) => {
          press.current = { at: pointOf(event), far: 0 };
        }}
        move={(event) => {
          const to = pointOf(event);
          const pressed = press.current;
          if (pressed === undefined) return setPointed(dotAt(dots, view, to));
          const { at } = pressed;
          pressed.far += Math.hypot(to.x - at.x, to.y - at.y);
          pressed.at = to;
          if (pressed.far > slip)
            setView((now) => ({ ...now, x: now.x + to.x - at.x, y: now.y + to.y - at.y }));
        }}
        up={(event) => {
          const pressed = press.current;
          press.current = undefined;
          if (pressed === undefined || pressed.far > slip) return;
          const hit = dotAt(dots, view, pointOf(event));
          if (hit !== undefined) open(hit.state.site.site);
        }}
        leave={() => {
          press.current = undefined;
          setPointed(undefined);
        }}
      />
      {pointed !== undefined && <Tip dot={pointed} view={view} />}
      <div class="map-keys no-print">
        <button type="button" aria-label="Closer" onClick={() => setView((now) => zoomed(now, 1.6, middle))}>
          +
        </button>
        <button
          type="button"
          aria-label="Farther"
          onClick={() => setView((now) => zoomed(now, 1 / 1.6, middle))}
        >
          −
        </button>
        <button type="button" aria-label="Show all sites" onClick={() => setView(wholeView)}>
          ⌂
        </button>
      </div>
      {missing > 0 && (
        <p class="small map-note">
          {missing === 1 ? '1 site has' : `${missing} sites have`} no coordinates:{' '}
          <code>checkpost site add --latitude --longitude</code>
        </p>
      )}
    </section>
  );
}

interface DotsProps {
  readonly dots: readonly SiteDot[];
  readonly size: Size;
  readonly view: View;
  readonly wheel: (event: WheelEvent) => void;
  readonly down: (event: PointerEvent) => void;
  readonly move: (event: PointerEvent) => void;
  readonly up: (event: PointerEvent) => void;
  readonly leave: () => void;
}

function Dots({ dots, size, view, wheel, down, move, up, leave }: DotsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element === null || context === null || context === undefined) return;
    const ratio = devicePixelRatio;
    element.width = Math.round(size.width * ratio);
    element.height = Math.round(size.height * ratio);
    context.scale(ratio, ratio);
    draw(context, dots, view, size);
  }, [dots, size, view]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={summary(dots)}
      onWheel={wheel}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerLeave={leave}
    />
  );
}

function draw(context: CanvasRenderingContext2D, dots: readonly SiteDot[], view: View, size: Size): void {
  context.lineWidth = 1.2;
  for (const dot of dots) {
    const [x, y] = [dot.x * view.zoom + view.x, dot.y * view.zoom + view.y];
    if (x < -10 || y < -10 || x > size.width + 10 || y > size.height + 10) continue;
    const { fill, edge } = colours[dot.state.trouble];
    context.beginPath();
    context.arc(x, y, dot.radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = edge;
    context.stroke();
  }
}

function Tip({ dot, view }: { readonly dot: SiteDot; readonly view: View }) {
  const { site, trouble, terminals } = dot.state;
  return (
    <p
      class="map-tip small"
      style={{ left: `${dot.x * view.zoom + view.x}px`, top: `${dot.y * view.zoom + view.y}px` }}
    >
      <b>{site.name}</b> {troubleWords[trouble]},{' '}
      {terminals.length === 1 ? '1 terminal' : `${terminals.length} terminals`}
    </p>
  );
}

/** The gravest last, so that they are drawn on top. */
function dotsOf(sites: readonly SiteState[], projection: ReturnType<typeof fitted>): SiteDot[] {
  return sites
    .flatMap((state): SiteDot[] => {
      const { latitude, longitude } = state.site;
      if (latitude === null || longitude === null) return [];
      const at = projection([longitude, latitude]);
      return at === null ? [] : [{ x: at[0], y: at[1], radius: colours[state.trouble].radius, state }];
    })
    .sort((a, b) => rankOf(b.state.trouble) - rankOf(a.state.trouble));
}

/** What somebody hears who cannot see the map. */
function summary(dots: readonly SiteDot[]): string {
  const parts = troubles.flatMap((trouble) => {
    const count = dots.filter(({ state }) => state.trouble === trouble).length;
    return count === 0 ? [] : [`${troubleWords[trouble]} ${count}`];
  });
  return `Sites on the map: ${parts.length === 0 ? 'none' : parts.join(', ')}`;
}

function pointOf(event: MouseEvent): Point {
  return { x: event.offsetX, y: event.offsetY };
}

function useSize(frame: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 500, height: 400 });
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0)
        setSize((before) =>
          before.width === width && before.height === height ? before : { width, height },
        );
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [frame]);
  return size;
}
