import type { TSchema } from 'typebox';
import type { Role } from './accounts.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One address of the API. Its name in the table is its method and path, so that a page that imports the types alone can
 * call it.
 */
export interface ApiRoute {
  readonly tag: string;
  readonly summary: string;
  /**
   * What whoever asks must at least be; `anybody` need not have signed in. An identity that is bound to a bureau sees and
   * changes what is of that bureau alone.
   */
  readonly role: Role | 'anybody';
  /** Values in the path, each a text until it is parsed. */
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Status where it went well; 204 has no body. */
  readonly status: 200 | 201 | 204 | 302;
  /** JSON by this schema, or the media type of what is sent instead. */
  readonly answer: TSchema | string;
  /** It changes something: with a cookie it needs the header `x-checkpost-csrf`. */
  readonly changes: boolean;
}
