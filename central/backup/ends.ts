import { join } from 'node:path';
import type { CentralSettings } from '#contracts/settings/central.ts';
import type { WallTime } from '#contracts/units.ts';
import { sqliteName } from '../store/index.ts';
import { PostgresSide } from './postgres-side.ts';
import type { Side } from './side.ts';
import { SqliteSide } from './sqlite-side.ts';

type Place = Pick<CentralSettings, 'state' | 'store'>;

/** The centre's database, to be read. */
export function sourceOf({ state, store }: Place): Side {
  return store.url === undefined
    ? new SqliteSide({ file: join(state, sqliteName), writable: false })
    : new PostgresSide(store.url);
}

/** The centre's database, to be made anew; a damaged file of SQLite is set aside where `setAsideAt` is given. */
export function targetOf({ state, store }: Place, setAsideAt?: WallTime): Side {
  return store.url === undefined
    ? new SqliteSide({
        file: join(state, sqliteName),
        writable: true,
        ...(setAsideAt !== undefined && { setAsideAt }),
      })
    : new PostgresSide(store.url);
}
