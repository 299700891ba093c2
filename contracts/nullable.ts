import Type from 'typebox';

/** The schema, or null where there is nothing or nobody knows. */
export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([Type.Null(), schema]);
