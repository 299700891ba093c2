import type { Refusal } from '#contracts/lookup.ts';

/** What went wrong, as the API says it. */
export type ApiFault = Refusal;

export type ApiResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly fault: ApiFault };

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Api {
  /** `path` begins behind `/api/v1`. */
  ask<T>(method: Method, path: string, body?: unknown): Promise<ApiResult<T>>;
}

const unreachable: ApiFault = {
  code: 'UNREACHABLE',
  what: 'The centre does not answer.',
  detail: '',
  remedy: 'Check the connection; the page connects again by itself.',
};

/** Asks the centre with the cookie of this browser; `csrf` is sent with every change. */
export function createApi(parts: {
  readonly fetch: typeof globalThis.fetch;
  readonly csrf: () => string;
  /** Nobody is signed in any more. */
  readonly onSignedOut: () => void;
}): Api {
  return {
    async ask<T>(method: Method, path: string, body?: unknown): Promise<ApiResult<T>> {
      try {
        const response = await parts.fetch(`/api/v1${path}`, {
          method,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(method !== 'GET' && { 'x-checkpost-csrf': parts.csrf() }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        const value: unknown = text === '' ? undefined : JSON.parse(text);
        if (response.ok) return { ok: true, value: value as T };
        if (response.status === 401 && path !== '/session') parts.onSignedOut();
        return { ok: false, status: response.status, fault: { ...unreachable, ...(value as ApiFault) } };
      } catch {
        return { ok: false, status: 0, fault: unreachable };
      }
    },
  };
}
