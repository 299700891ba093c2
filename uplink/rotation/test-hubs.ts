import { fail, ok, type Result } from '#contracts/result.ts';
import type { SlotKeys } from '#contracts/hub.ts';
import type { HubClient, Offer } from './hub-client.ts';

/** A hub for tests: takes offers, and makes a candidate the key in force at its first handshake. */
export class TestHub {
  readonly name: string;
  /** It answers questions. */
  answers = true;
  /** Its interface takes handshakes. */
  shakes = true;
  current: string;
  presharedKey: string | null = null;
  candidate: Offer | null = null;
  offers = 0;

  constructor(name: string, current: string) {
    this.name = name;
    this.current = current;
  }

  /** The terminal's interface has this key now; true where the tunnel works. */
  handshake(publicKey: string, presharedKey: string | null): boolean {
    if (!this.shakes) return false;
    if (this.candidate?.publicKey === publicKey && this.candidate.presharedKey === presharedKey) {
      this.current = publicKey;
      this.presharedKey = presharedKey;
      this.candidate = null;
    }
    return this.current === publicKey && this.presharedKey === presharedKey;
  }
}

/** A client that asks these hubs about one slot. */
export function testHubClient(hubs: readonly TestHub[], slot: string): Pick<HubClient, 'keys' | 'offer'> {
  const find = (name: string): Result<TestHub> => {
    const hub = hubs.find((one) => one.name === name);
    return hub?.answers ? ok(hub) : fail('HUB_UNREACHABLE', `${name}: ECONNREFUSED.`);
  };
  const keysOf = (hub: TestHub): SlotKeys[] => [
    { slot, current: hub.current, candidate: hub.candidate?.publicKey ?? null },
  ];
  return {
    async keys(name) {
      const hub = find(name);
      return hub.ok ? ok(keysOf(hub.value)) : hub;
    },
    async offer(name, offer) {
      const hub = find(name);
      if (!hub.ok) return hub;
      hub.value.offers++;
      hub.value.candidate = offer;
      return ok(keysOf(hub.value));
    },
  };
}
