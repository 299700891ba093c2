import { beforeEach, describe, expect, test } from 'vitest';
import { goLive, type LiveState, type Source } from './live.ts';
import { TestClock } from './test-clock.ts';

/** A connection that a test speaks for. */
class PlayedSource implements Source {
  readyState = 0;
  closed = false;
  readonly #listeners = new Map<string, (message: { data?: unknown }) => void>();

  addEventListener(event: string, listener: (message: { data?: unknown }) => void): void {
    this.#listeners.set(event, listener);
  }

  close(): void {
    this.closed = true;
  }

  say(event: string, data?: unknown): void {
    this.#listeners.get(event)?.({ data: JSON.stringify(data) });
  }
}

describe('a page that is live', () => {
  let clock: TestClock;
  let sources: PlayedSource[];
  let states: LiveState[];
  let events: unknown[];
  let stop: () => void;
  const last = (): PlayedSource => sources.at(-1) as PlayedSource;
  const beat = { time: '2026-01-15T08:00:00.000Z' };

  beforeEach(() => {
    clock = new TestClock();
    sources = [];
    states = [];
    events = [];
    stop = goLive({
      open() {
        sources.push(new PlayedSource());
        return last();
      },
      after: (delay, action) => clock.after(delay, action),
      events: ['lookup'],
      onEvent: (event, data) => events.push([event, data]),
      onState: (state) => states.push(state),
    });
  });

  test('is live only after the first heartbeat, when the present state is whole', () => {
    last().say('open');
    last().say('lookup', { n: 1 });
    expect(states).toEqual(['connecting']);
    last().say('heartbeat', beat);
    expect(states).toEqual(['connecting', 'live']);
    expect(events).toEqual([['lookup', { n: 1 }]]);
  });

  test('is lost at once on an error, and begins a new state when the browser has connected again', () => {
    last().say('open');
    last().say('heartbeat', beat);
    last().say('error');
    last().say('open');
    last().say('heartbeat', beat);
    expect(states).toEqual(['connecting', 'live', 'lost', 'connecting', 'live']);
    expect(sources).toHaveLength(1);
  });

  test('is lost after a silence, although no connection broke, and connects again', async () => {
    last().say('open');
    last().say('heartbeat', beat);
    await clock.advance(11_999);
    expect(states.at(-1)).toBe('live');
    await clock.advance(1);
    expect(states.at(-1)).toBe('lost');
    expect(sources).toHaveLength(2);
    expect(sources[0]?.closed).toBe(true);
    sources[0]?.say('heartbeat', beat);
    expect(states.at(-1), 'the old connection says nothing any more').toBe('lost');
  });

  test('connects again by itself where the browser has given up', async () => {
    last().readyState = 2;
    last().say('error');
    await clock.advance(2000);
    expect(sources).toHaveLength(2);
  });

  test('leaves no timer behind when it is stopped', () => {
    stop();
    expect(last().closed).toBe(true);
    expect(clock.waiting).toBe(0);
  });
});
