import { useEffect, useState } from 'preact/hooks';
import type { TimelineEvent } from '#contracts/api/fleet.ts';
import { useAsked, useFleet, useNow, useParts } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { eventMarks, whenWords } from '../words.ts';
import { FaultNote } from './fault.tsx';

interface TimelineProps {
  /** What to ask for, for example `terminal=UTO-0001-1`. */
  readonly query: string;
  /** Which of the events that come live belong here. */
  readonly fits: (event: TimelineEvent) => boolean;
}

/** What happened, newest first, with what comes live on top. */
export function Timeline({ query, fits }: TimelineProps) {
  const { api } = useParts();
  const data = useFleet();
  const now = useNow(30_000);
  const { answer } = useAsked<TimelineEvent[]>(`/events?${query}&limit=100`);
  const [older, setOlder] = useState<readonly TimelineEvent[]>([]);
  const [end, setEnd] = useState(false);
  useEffect(() => {
    setOlder([]);
    setEnd(false);
  }, [query]);
  if (answer?.ok === false) return <FaultNote fault={answer.fault} />;
  const live = [...data.events.values()].filter(fits);
  const all = new Map([...older, ...(answer?.value ?? []), ...live].map((event) => [event.id, event]));
  const events = [...all.values()].sort((a, b) => b.id - a.id);
  const more = async (): Promise<void> => {
    const before = events.at(-1)?.id;
    if (before === undefined) return;
    const next = await api.ask<TimelineEvent[]>('GET', `/events?${query}&limit=100&before=${before}`);
    if (!next.ok || next.value.length === 0) return setEnd(true);
    setOlder((kept) => [...kept, ...next.value]);
  };
  if (answer !== undefined && events.length === 0) return <p class="small">Nothing is kept yet.</p>;
  return (
    <>
      <ol class="timeline">
        {events.map((event) => (
          <li key={event.id} class={event.severity}>
            <span class="mark-event" aria-hidden="true">
              {eventMarks[event.severity]}
            </span>
            <time dateTime={event.at}>{whenWords(event.at, now)}</time>
            <span>
              {event.terminal !== null && (
                <>
                  <a href={hashOf('terminal', event.terminal)}>{event.terminal}</a>{' '}
                </>
              )}
              {event.text}
              {event.deviceAt !== null && (
                <span class="small"> (by its own clock {whenWords(event.deviceAt, now)})</span>
              )}
            </span>
          </li>
        ))}
      </ol>
      {!end && events.length >= 100 && (
        <button class="no-print" onClick={() => void more()}>
          Older
        </button>
      )}
    </>
  );
}
