import { join } from 'node:path';
import type { HealthReport } from '#contracts/health.ts';
import { namesIn, numberOf, textOf } from './sysfs.ts';

type Power = NonNullable<HealthReport['power']>;

/** What feeds the machine (/sys/class/power_supply), and whether the voltage is too low; null where it does not tell. */
export async function powerFacts(sys: string): Promise<Power | null> {
  const folder = join(sys, 'class/power_supply');
  const supplies = await Promise.all((await namesIn(folder)).map((name) => supplyOf(join(folder, name))));
  const own = supplies.filter((supply) => supply !== undefined);
  const undervoltage = await undervoltageOf(sys);
  if (own.length === 0 && undervoltage === undefined) return null;
  const mains = own.filter(({ battery }) => !battery);
  const batteries = own.filter(({ battery }) => battery);
  const onMains = mains.some(({ online }) => online);
  // A battery may lend a hand while the mains is there; without mains that say so, its discharge is what tells.
  const onBattery =
    batteries.length > 0 &&
    !onMains &&
    (mains.length > 0 || batteries.some(({ discharging }) => discharging));
  const charges = batteries.map(({ percent }) => percent).filter((percent) => percent !== undefined);
  return {
    source: onBattery ? 'battery' : 'mains',
    batteryPercent: charges.length === 0 ? null : Math.min(...charges),
    undervoltage: undervoltage ?? false,
  };
}

interface Supply {
  readonly battery: boolean;
  readonly online: boolean;
  readonly discharging: boolean;
  readonly percent: number | undefined;
}

async function supplyOf(folder: string): Promise<Supply | undefined> {
  const [type, scope, present, online, status, capacity] = await Promise.all([
    textOf(join(folder, 'type')),
    textOf(join(folder, 'scope')),
    numberOf(join(folder, 'present')),
    numberOf(join(folder, 'online')),
    textOf(join(folder, 'status')),
    numberOf(join(folder, 'capacity')),
  ]);
  // `Device` is the battery of a mouse or a scanner, not of the machine.
  if (type === undefined || scope === 'Device' || present === 0) return undefined;
  return {
    battery: type === 'Battery' || type === 'UPS',
    // USB ports that could feed the machine: 2 is "online, programmable".
    online: (online ?? 0) > 0,
    discharging: status === 'Discharging',
    percent: capacity === undefined ? undefined : Math.min(100, Math.max(0, capacity)),
  };
}

/** Boards of the Raspberry kind: the driver `rpi_volt`, or else the firmware's own word, of which bit 0 is "now". */
async function undervoltageOf(sys: string): Promise<boolean | undefined> {
  const folder = join(sys, 'class/hwmon');
  for (const name of await namesIn(folder)) {
    if ((await textOf(join(folder, name, 'name'))) !== 'rpi_volt') continue;
    const alarm = await numberOf(join(folder, name, 'in0_lcrit_alarm'));
    if (alarm !== undefined) return alarm !== 0;
  }
  const throttled = await textOf(join(sys, 'devices/platform/soc/soc:firmware/get_throttled'));
  if (throttled === undefined || !/^(0x)?[0-9a-f]+$/i.test(throttled)) return undefined;
  return (Number.parseInt(throttled, 16) & 1) !== 0;
}
