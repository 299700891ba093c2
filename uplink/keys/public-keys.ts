import { ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { systemClock } from '#runtime/clock.ts';
import { KeyStore } from './key-store.ts';

/**
 * The public keys that the hubs must know of this terminal: `tunnel`, and `probe-UPLINK` of each uplink; what is missing
 * is made. Faults: CREDENTIAL_UNREADABLE, FILE_REFUSED.
 */
export async function publicKeys(
  settings: UplinkSettings,
): Promise<Result<readonly { readonly slot: string; readonly publicKey: string }[]>> {
  const store = await KeyStore.open(settings, { clock: systemClock });
  if (!store.ok) return store;
  const keys = store.value.publicKeys();
  if (!keys.ok) return keys;
  return ok([
    { slot: 'tunnel', publicKey: keys.value.tunnel },
    ...Object.entries(keys.value.probes).map(([uplink, publicKey]) => ({
      slot: `probe-${uplink}`,
      publicKey,
    })),
  ]);
}
