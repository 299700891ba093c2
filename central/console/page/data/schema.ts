/** As much of JSON Schema as our settings use: what the configuration editor is made from. */
export interface SettingSchema {
  readonly type?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly words?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
}

/** One setting that can be given a value: a list is one value. */
export interface SettingField {
  /** `policy.repeatMillis` */
  readonly path: string;
  readonly group: string;
  readonly name: string;
  readonly schema: SettingSchema;
}

export function fieldsOf(schema: SettingSchema): SettingField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([group, node]): SettingField[] => {
    if (node.type !== 'object') return [{ path: group, group: '', name: group, schema: node }];
    return Object.entries(node.properties ?? {}).map(([name, inner]) => ({
      path: `${group}.${name}`,
      group,
      name,
      schema: inner,
    }));
  });
}

export type Values = Readonly<Record<string, unknown>>;

export function valueAt(values: Values, path: string): unknown {
  return path.split('.').reduce<unknown>((at, part) => (at as Values | undefined)?.[part], values);
}

/** The values with this one set, or taken out where it is undefined; a group that is empty then goes too. */
export function withValue(values: Values, { group, name }: SettingField, value: unknown): Values {
  if (group === '') return without({ ...values, [name]: value });
  const inner = without({ ...(values[group] as Values | undefined), [name]: value });
  return without({ ...values, [group]: Object.keys(inner).length === 0 ? undefined : inner });
}

function without(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** What is allowed, in words. */
export function allowedWords({ schema }: SettingField): string {
  if (schema.words !== undefined) return schema.words;
  if (schema.enum !== undefined) return schema.enum.join(', ');
  const unit = schema.unit === undefined ? '' : ` ${schema.unit}`;
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return `${schema.minimum} to ${schema.maximum}${unit}`;
  return schema.type === 'array' ? 'a list, as JSON' : '';
}
