import Type, { type TSchema } from 'typebox';

/** What every setting says of itself, beside its type and range; docs/settings.md is made from it. */
export interface SettingNote {
  /** One sentence: what it does, and what happens at its ends. */
  readonly description: string;
  /** `ms`, `s`, `B`, `baud` …; left out where there is none. */
  readonly unit?: string;
  /** What is allowed, in words, where a pattern says it badly. */
  readonly words?: string;
  /** Left out where the setting must be given. */
  readonly default?: unknown;
}

export function integer(range: { minimum: number; maximum: number }, note: SettingNote) {
  return Type.Integer({ ...range, ...note });
}

export function text(form: { pattern?: string; minLength?: number; maxLength?: number }, note: SettingNote) {
  return Type.String({ minLength: 1, ...form, ...note });
}

/** A path; a relative one is meant from the folder of the configuration file. */
export function path(note: SettingNote) {
  return Type.String({ minLength: 1, maxLength: 4096, format: 'checkpost-path', ...note });
}

export function choice<const T extends readonly string[]>(values: readonly [...T], note: SettingNote) {
  return Type.Unsafe<T[number]>(Type.Enum([...values], { ...note }));
}

export function flag(note: SettingNote) {
  return Type.Boolean({ ...note });
}

/** A group of settings; unknown names are refused. Left out, it takes the defaults of what it holds. */
export function group<P extends Record<string, TSchema>>(
  properties: P,
  note: { description: string; default?: object },
) {
  return Type.Object(properties, { additionalProperties: false, ...note });
}
