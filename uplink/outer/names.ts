import type { UplinkSettings } from '#contracts/settings/uplink.ts';

/** Names and marks of our interfaces, by the place of the hub or uplink in the settings. */

export function tunnelName({ interface: prefix }: Pick<UplinkSettings, 'interface'>, hubAt: number): string {
  return `${prefix}${hubAt}`;
}

export function probeName(
  { interface: prefix }: Pick<UplinkSettings, 'interface'>,
  uplinkAt: number,
): string {
  return `${prefix}-p${uplinkAt}`;
}

export function probeMark({ mark }: Pick<UplinkSettings, 'mark'>, uplinkAt: number): number {
  return mark + 1 + uplinkAt;
}
