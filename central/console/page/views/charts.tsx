import { useEffect, useState } from 'preact/hooks';
import { type MetricName, metricNames, metrics, type Series } from '#contracts/api/fleet.ts';
import { useParts, usePlace } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { Chart } from '../parts/chart.tsx';
import { FaultNote } from '../parts/fault.tsx';
import type { ApiResult } from '../data/api.ts';

const spans = { '6h': 6, '24h': 24, '7d': 168, '60d': 1440, '1y': 8760 } as const;
type Span = keyof typeof spans;
const spanTitles: Record<Span, string> = {
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '60d': '60 days',
  '1y': 'A year',
};
const points = 300;

/** Every metric of a terminal over a chosen time. */
export function Charts({ terminal }: { readonly terminal: string }) {
  const { api, now } = useParts();
  const place = usePlace();
  const wanted = place.query.get('span') ?? '24h';
  const span: Span = Object.hasOwn(spans, wanted) ? (wanted as Span) : '24h';
  const [range, setRange] = useState({ from: 0, to: 0 });
  const [answers, setAnswers] = useState<ReadonlyMap<MetricName, ApiResult<Series>>>(new Map());
  useEffect(() => {
    let current = true;
    const to = now();
    const from = to - spans[span] * 3_600_000;
    setRange({ from, to });
    setAnswers(new Map());
    const load = async (): Promise<void> => {
      for (const metric of metricNames) {
        const query = new URLSearchParams({
          metric,
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          points: String(points),
        });
        const answer = await api.ask<Series>(
          'GET',
          `/terminals/${encodeURIComponent(terminal)}/series?${query}`,
        );
        if (!current) return;
        setAnswers((before) => new Map(before).set(metric, answer));
      }
    };
    void load();
    return () => {
      current = false;
    };
  }, [api, now, terminal, span]);
  const failed = [...answers.values()].find((answer) => !answer.ok);
  return (
    <section aria-label="Charts">
      <div class="chips no-print" role="group" aria-label="Time">
        {Object.entries(spanTitles).map(([name, title]) => (
          <a
            key={name}
            class="chip"
            href={hashOf('terminal', terminal, { tab: 'charts', span: name })}
            {...(name === span && { 'aria-current': 'true' as const })}
          >
            {title}
          </a>
        ))}
      </div>
      {failed?.ok === false && <FaultNote fault={failed.fault} />}
      <div class="charts">
        {metricNames.map((metric) => {
          const answer = answers.get(metric);
          if (answer?.ok !== true)
            return (
              <figure key={metric} class="chart">
                <figcaption>
                  <b>{metrics[metric].title}</b>
                </figcaption>
              </figure>
            );
          return <Chart key={metric} series={answer.value} from={range.from / 1000} to={range.to / 1000} />;
        })}
      </div>
    </section>
  );
}
