import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { metrics, type Series } from '#contracts/api/fleet.ts';
import { bytesWords } from '../words.ts';

interface ChartProps {
  readonly series: Series;
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
}

const height = 130;

/** One metric over time: the mean as a line, least and most as a band. */
export function Chart({ series, from, to }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { title, unit } = metrics[series.metric];
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const plot = new uPlot(options(element.clientWidth, unit, from, to), columns(series), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, from, to, unit]);
  const last = series.points.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b>
        <span class="small">{last === undefined ? 'no data' : `last ${valueWords(last[2], unit)}`}</span>
      </figcaption>
      <div ref={frame} role="img" aria-label={summary(series, title, unit)} />
    </figure>
  );
}

/** What somebody hears who cannot see the chart. */
function summary({ points }: Series, title: string, unit: string): string {
  if (points.length === 0) return `${title}: no data in this time`;
  const least = Math.min(...points.map((point) => point[1]));
  const most = Math.max(...points.map((point) => point[3]));
  return `${title}: from ${valueWords(least, unit)} to ${valueWords(most, unit)}`;
}

export function valueWords(value: number, unit: string): string {
  if (unit === 'B') return bytesWords(value);
  if (unit === 'share') return `${Math.round(value * 100)} %`;
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${rounded} ${unit}`;
}

/** A step without data is a gap, not a line across it. */
function columns({ points, stepSeconds }: Series): uPlot.AlignedData {
  const [at, least, mean, most]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [
    [],
    [],
    [],
    [],
  ];
  let before: number | undefined;
  for (const [time, low, middle, high] of points) {
    if (before !== undefined && time - before > stepSeconds * 1.5) {
      at.push(before + stepSeconds);
      for (const column of [least, mean, most]) column.push(null);
    }
    at.push(time);
    least.push(low);
    mean.push(middle);
    most.push(high);
    before = time;
  }
  return [at, least, mean, most];
}

/** The hour of a tick, or the day where the chart spans many. */
function timeWordsOf(tick: number, spanSeconds: number): string {
  const at = new Date(tick * 1000);
  if (spanSeconds <= 172_800) return at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

function options(width: number, unit: string, from: number, to: number): uPlot.Options {
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { setScale: false } },
    scales: { x: { min: from, max: to }, y: unit === 'share' ? { range: [0, 1] } : {} },
    axes: [
      {
        stroke: '#44505c',
        grid: { stroke: '#e2e7ec' },
        space: 70,
        values: (_plot, ticks) => ticks.map((tick) => timeWordsOf(tick, to - from)),
      },
      {
        stroke: '#44505c',
        size: 76,
        grid: { stroke: '#e2e7ec' },
        values: (_plot, ticks) => ticks.map((tick) => valueWords(tick, unit)),
      },
    ],
    bands: [{ series: [3, 1], fill: '#0b1a8c22' }],
    series: [{}, { stroke: 'transparent' }, { stroke: '#0b1a8c', width: 1.5 }, { stroke: 'transparent' }],
  };
}
