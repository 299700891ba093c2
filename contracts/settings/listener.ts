import { integer, text } from './setting.ts';

/** Where something is served. */
export const listener = (what: string, port: number) => ({
  host: text({ maxLength: 255 }, { description: `Address that ${what} is served on`, default: '127.0.0.1' }),
  port: integer(
    { minimum: 0, maximum: 65_535 },
    { description: `Port of ${what}; 0 takes a free one`, default: port },
  ),
});
