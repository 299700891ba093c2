import type { Static, TSchema } from 'typebox';
import type { routes } from './routes.ts';

/** What each route takes and answers, as types: with the type alone a page can call it, and loads no schema. */

export type RouteName = keyof typeof routes;
type Part<K extends RouteName, P extends 'params' | 'query' | 'body'> = (typeof routes)[K] extends {
  readonly [N in P]: infer S extends TSchema;
}
  ? Static<S>
  : undefined;
export type ParamsOf<K extends RouteName> = Part<K, 'params'>;
export type QueryOf<K extends RouteName> = Part<K, 'query'>;
export type BodyOf<K extends RouteName> = Part<K, 'body'>;
export type AnswerOf<K extends RouteName> = (typeof routes)[K]['answer'] extends infer S extends TSchema
  ? Static<S>
  : undefined;

/** What a route that could not be served answers with. */
export interface ApiFault {
  /** Of the table of errors. */
  readonly code: string;
  readonly what: string;
  readonly detail: string;
  readonly remedy: string;
}
