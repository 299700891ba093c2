import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { HubName, UplinkName } from '#contracts/settings/uplink.ts';
import { parseJson } from '#runtime/parse.ts';

const Carried = Type.Object(
  {
    uplink: UplinkName,
    hub: HubName,
    mtu: Type.Integer({ minimum: 1200, maximum: 1440, description: 'Largest packet of that uplink, bytes' }),
  },
  { additionalProperties: false },
);
export type Carried = Static<typeof Carried>;

/**
 * What carried, in the folder of the sockets: in memory, so it outlives a crash of the helper and not the boot. The one
 * who is started anew goes on with it and does not move the traffic to an uplink that may be dead.
 */
export function readCarried(file: string): Carried | undefined {
  try {
    const carried = parseJson(Carried, readFileSync(file, 'utf8'), 'FILE_REFUSED');
    return carried.ok ? carried.value : undefined;
  } catch {
    return undefined;
  }
}

/** A file that cannot be written costs a few seconds after a crash, and is no fault. */
export function noteCarried(file: string, carried: Carried): void {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(carried), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch {
    // See above.
  }
}
