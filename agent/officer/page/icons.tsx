import type { JSX } from 'preact';
import type { Look } from './words.ts';

/** A shape of its own for each look, so that colour is never the only difference. None of them is a tick. */
export function Icon({ look }: { readonly look: Look }) {
  return (
    <svg class="icon" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      {shapes[look]}
    </svg>
  );
}

const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 4, 'stroke-linecap': 'round' } as const;

const shapes: Record<Look, JSX.Element> = {
  searching: (
    <g class="turning">
      <circle cx="24" cy="24" r="18" {...line} opacity="0.25" />
      <path d="M24 6a18 18 0 0 1 18 18" {...line} />
    </g>
  ),
  // An octagon: stop.
  hit: (
    <g>
      <path d="M15 3h18l12 12v18L33 45H15L3 33V15z" fill="currentColor" />
      <path d="M24 12v15" {...line} class="cut" stroke-width="6" />
      <circle cx="24" cy="36" r="3.5" class="cut-fill" />
    </g>
  ),
  // A diamond with the sign for "nearly equal".
  possible: (
    <g>
      <path d="M24 2l22 22-22 22L2 24z" fill="currentColor" />
      <path d="M14 21q5-5 10 0t10 0M14 30q5-5 10 0t10 0" {...line} class="cut" />
    </g>
  ),
  // An empty result: a magnifying glass with nothing in it.
  'no-record': (
    <g>
      <circle cx="20" cy="20" r="15" {...line} />
      <path d="M31 31l13 13M13 20h14" {...line} />
    </g>
  ),
  // The same search on a pile of paper with a clock's hands: a copy, of some age.
  'no-record-copy': (
    <g>
      <path d="M14 4h26v30H14z" {...line} />
      <path d="M34 34v10H8V14h6" {...line} />
      <path d="M27 11v9l6 4" {...line} />
    </g>
  ),
  unresolved: (
    <g>
      <path d="M24 3l22 40H2z" {...line} stroke-linejoin="round" />
      <path d="M19 22a5 5 0 1 1 7 4.5q-2 1-2 4" {...line} stroke-width="3.5" />
      <circle cx="24" cy="37" r="2.5" fill="currentColor" />
    </g>
  ),
  // Lines of text with a hole.
  unreadable: (
    <g>
      <path d="M4 14h14M30 14h14M4 24h8M36 24h8M4 34h14M30 34h14" {...line} />
      <path d="M18 18l12 12M30 18L18 30" {...line} />
    </g>
  ),
};
