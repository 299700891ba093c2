import { fail, ok } from '#contracts/result.ts';
import { refreshTrust } from '#formats/trust/index.ts';
import type { Budget } from './budget.ts';
import { downloadTarget, tidyDownloads } from './download.ts';
import type { Repository } from './ports.ts';
import type { EditionTransport, SmallFile } from './transport.ts';

export interface CentralRepositoryParts {
  readonly transport: EditionTransport;
  /** Where what is fetched is kept until it is installed. */
  readonly downloads: string;
  readonly budget: Budget;
  readonly progress?: (bytes: number, of: number) => void;
}

/** The repository that the centre serves. Once connected, asking whether there is anything new costs one round trip. */
export function centralRepository({
  transport,
  downloads,
  budget,
  progress,
}: CentralRepositoryParts): Repository {
  /** The timestamp of the last time, with which the centre says "unchanged" in a few bytes. */
  let last: SmallFile | undefined;
  const verified = new Map<string, number>();
  return {
    name: 'the centre',
    async refresh(trusted, now, keep) {
      const refreshed = await refreshTrust(
        trusted,
        async (path, most) => {
          const known = path === 'metadata/timestamp.json' ? last : undefined;
          const fetched = await transport.fetchSmall(
            path,
            most,
            known?.etag === undefined ? {} : { etag: known.etag },
          );
          if (!fetched.ok) return fetched;
          if (fetched.value === 'absent') return ok(undefined);
          if (fetched.value === 'unchanged') {
            return known === undefined
              ? fail('CENTRAL_NONSENSE', 'It says "unchanged" of nothing.')
              : ok(known.bytes);
          }
          if (path === 'metadata/timestamp.json') last = fetched.value;
          return ok(fetched.value.bytes);
        },
        now,
        keep,
      );
      return refreshed.ok ? ok(refreshed.value.trusted) : refreshed;
    },
    fetch: (target, signal) =>
      downloadTarget(target, {
        transport,
        folder: downloads,
        budget,
        signal,
        verified,
        ...(progress !== undefined && { progress }),
      }),
    async fetchSmall(path, maxBytes, signal) {
      const fetched = await transport.fetchSmall(path, maxBytes, { signal });
      if (!fetched.ok) return fetched;
      if (fetched.value === 'unchanged') return fail('CENTRAL_NONSENSE', 'It says "unchanged" of nothing.');
      return ok(fetched.value === 'absent' ? undefined : fetched.value.bytes);
    },
    async tidy(wanted) {
      await tidyDownloads(downloads, wanted);
      for (const sha256 of verified.keys()) if (!wanted.has(sha256)) verified.delete(sha256);
    },
  };
}
