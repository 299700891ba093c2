import { useState } from 'preact/hooks';
import { usePlace } from '../data/context.ts';
import { hashOf } from '../data/place.ts';

/** Views that somebody gave a name: each is an address, kept in this browser. */
interface SavedView {
  readonly name: string;
  readonly query: string;
}

const place = 'checkpost.views';

function read(): readonly SavedView[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '[]');
    if (!Array.isArray(kept)) return [];
    return kept.filter(
      (one: Partial<SavedView>): one is SavedView =>
        typeof one?.name === 'string' && typeof one.query === 'string',
    );
  } catch {
    return [];
  }
}

export function SavedViews() {
  const { query } = usePlace();
  const [views, setViews] = useState(read);
  const present = query.toString();
  const keep = (next: readonly SavedView[]): void => {
    setViews(next);
    try {
      localStorage.setItem(place, JSON.stringify(next));
    } catch {
      // A browser that keeps nothing still has the address.
    }
  };
  const save = (): void => {
    const name = prompt('Name of this view')?.trim();
    if (name === undefined || name === '') return;
    keep([...views.filter((one) => one.name !== name), { name, query: present }]);
  };
  const known = views.find((one) => one.query === present);
  return (
    <>
      {views.length > 0 && (
        <label>
          <span class="hidden">Saved views</span>
          <select
            value={known?.name ?? ''}
            onChange={(event) => {
              const chosen = views.find((one) => one.name === event.currentTarget.value);
              location.hash = hashOf('fleet', '', Object.fromEntries(new URLSearchParams(chosen?.query)));
            }}
          >
            <option value="">Saved views</option>
            {views.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {known === undefined ? (
        <button type="button" onClick={save} disabled={present === ''}>
          Save view
        </button>
      ) : (
        <button type="button" onClick={() => keep(views.filter((one) => one !== known))}>
          Forget view
        </button>
      )}
    </>
  );
}
