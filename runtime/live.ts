import { type Millis, ms } from '#contracts/units.ts';

/** `live` only while the whole state was received and the server was heard a moment ago. */
export type LiveState = 'connecting' | 'live' | 'lost';

/** As much of EventSource as is used. */
export interface Source {
  readonly readyState: number;
  addEventListener(event: string, listener: (message: { readonly data?: unknown }) => void): void;
  close(): void;
}

export interface LiveParts {
  readonly open: () => Source;
  readonly after: (delay: Millis, action: () => void) => () => void;
  /** The events to pass on. */
  readonly events: readonly string[];
  onEvent(event: string, data: unknown): void;
  /** The server's time, with every heartbeat. */
  onTime?(time: string): void;
  /** `connecting` begins a new whole state; with `live` it is complete. */
  onState(state: LiveState): void;
}

/** Two heartbeats and a little more: after so long a silence the server is taken for lost. */
const silence = ms(12_000);
const again = ms(2000);
const closed = 2;

/**
 * The browser's end of an event stream (event-stream.ts). An EventSource alone stays silent when the server hangs, and
 * gives up for good on some answers; here silence and errors are `lost` at once, and it is opened again for ever.
 */
export function goLive(parts: LiveParts): () => void {
  let source: Source | undefined;
  let state: LiveState | undefined;
  let cancel = (): void => {};
  const turn = (to: LiveState): void => {
    if (state === to) return;
    state = to;
    parts.onState(to);
  };
  const open = (): void => {
    cancel();
    source?.close();
    const opened = parts.open();
    source = opened;
    const mine = (action: () => void) => (): void => {
      if (source === opened) action();
    };
    const heard = (): void => {
      cancel();
      cancel = parts.after(silence, lose);
    };
    opened.addEventListener(
      'open',
      mine(() => {
        turn('connecting');
        heard();
      }),
    );
    for (const event of parts.events) {
      opened.addEventListener(event, (message) => {
        if (source !== opened) return;
        heard();
        parts.onEvent(event, JSON.parse(String(message.data)));
      });
    }
    // The first heartbeat says that the present state has been sent whole.
    opened.addEventListener('heartbeat', (message) => {
      if (source !== opened) return;
      heard();
      parts.onTime?.((JSON.parse(String(message.data)) as { time: string }).time);
      turn('live');
    });
    opened.addEventListener(
      'error',
      mine(() => {
        turn('lost');
        if (opened.readyState !== closed) return;
        cancel();
        cancel = parts.after(again, open);
      }),
    );
    cancel = parts.after(silence, lose);
  };
  const lose = (): void => {
    turn('lost');
    open();
  };
  turn('connecting');
  open();
  return () => {
    cancel();
    source?.close();
    source = undefined;
  };
}
