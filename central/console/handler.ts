import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerOf, RouteName } from '#contracts/api/calls.ts';
import type { Result } from '#contracts/result.ts';
import type { Access, Credentials } from '../access/index.ts';
import type { Asked } from './guards.ts';
import type { Live } from './live.ts';
import type { ConsoleSource } from './source.ts';

/** A request that was parsed and allowed, with the answer that it is to get. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What it brought to say who asks. */
  readonly credentials: Credentials;
  /** The session's cookie, where it is what says so. */
  readonly cookie: string | undefined;
  /** Address of whoever asks; behind a proxy on this machine, the one that it names. */
  readonly address: string;
}

export interface HandlerParts {
  readonly source: ConsoleSource;
  readonly access: Access;
  readonly live: Live;
}

/** Answers with a value that is sent as JSON, or has answered itself where the route sends something else. */
export type Handler<K extends RouteName> = (
  asked: Asked<K>,
  exchange: Exchange,
) => Result<Answer<K>> | Promise<Result<Answer<K>>>;

type Answer<K extends RouteName> = AnswerOf<K> extends undefined ? 'answered' : AnswerOf<K>;

export type Handlers<T extends string> = {
  readonly [K in RouteName as K extends `${string} /api/v1/${T}${'' | `/${string}`}` ? K : never]: Handler<K>;
};
