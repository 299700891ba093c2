import { createContext } from 'preact';
import { useContext, useEffect, useReducer, useState } from 'preact/hooks';
import type { Identity } from '#contracts/api/accounts.ts';
import type { Api, ApiResult } from './api.ts';
import type { FleetData } from './fleet.ts';
import { type Place, placeOf } from './place.ts';

/** What every view may use. */
export interface PageParts {
  readonly api: Api;
  readonly data: FleetData;
  /** The centre's time in milliseconds, as well as the browser can tell it. */
  readonly now: () => number;
  readonly identity: Identity;
}

export const PageContext = createContext<PageParts | undefined>(undefined);

export function useParts(): PageParts {
  const parts = useContext(PageContext);
  if (parts === undefined) throw new Error('a view stands outside of the page');
  return parts;
}

/** The fleet; whoever calls it is drawn again when it changes. */
export function useFleet(): FleetData {
  const { data } = useParts();
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => data.subscribe(() => redraw(undefined)), [data]);
  return data;
}

/** The present place; whoever calls it is drawn again when it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const changed = (): void => setPlace(placeOf(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return place;
}

/** The time; whoever calls it is drawn again every second or so. */
export function useNow(everyMillis = 1000): number {
  const { now } = useParts();
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => redraw(undefined), everyMillis);
    return () => clearInterval(timer);
  }, [everyMillis]);
  return now();
}

/**
 * Asks the API for something when the view opens, whenever `path` changes, and when the page was cut off and is connected
 * again; `undefined` while it is under way for the first time.
 */
export function useAsked<T>(path: string): {
  readonly answer: ApiResult<T> | undefined;
  readonly again: () => void;
} {
  const { api, data } = useParts();
  const [answer, setAnswer] = useState<ApiResult<T> | undefined>(undefined);
  const [epoch, setEpoch] = useState(data.epoch);
  useEffect(() => data.subscribe(() => setEpoch(data.epoch)), [data]);
  const [turn, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    let wanted = true;
    void api.ask<T>('GET', path).then((result) => {
      if (wanted) setAnswer(result);
    });
    return () => {
      wanted = false;
    };
  }, [api, path, turn, epoch]);
  return { answer, again: () => again(undefined) };
}

export function mayOperate({ role }: Identity): boolean {
  return role !== 'viewer';
}

export function mayAdminister({ role }: Identity): boolean {
  return role === 'administrator';
}
