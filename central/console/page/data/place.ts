/** Where on the page somebody is: the part of the address behind `#`, for example `#/terminal/UTO-0001-1?tab=charts`. */
export interface Place {
  readonly view: string;
  /** Id of the site, terminal, wave …; empty where the view has none. */
  readonly id: string;
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view = '', id = ''] = path.split('/');
  return { view: view === '' ? 'fleet' : view, id: safeDecode(id), query: new URLSearchParams(query) };
}

/** The address of a place; what is empty is left out of it. */
export function hashOf(view: string, id = '', query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const text = new URLSearchParams(filled).toString();
  return `#/${view}${id === '' ? '' : `/${encodeURIComponent(id)}`}${text === '' ? '' : `?${text}`}`;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
