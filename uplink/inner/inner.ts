import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { systemCode } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { openInnerEnd } from '../halves/inner-end.ts';
import { readInterfaceCounters } from '../halves/interface-counters.ts';
import type { Counters, Order, TunnelOrder } from '../halves/orders.ts';
import type { Running, UplinkParts } from '../part.ts';
import { ip, step } from '../tools/tools.ts';
import { applyInner, type InnerTunnel } from '../tunnel/inner.ts';

/** How often the counters are read: what the outer half takes for a sign of life of the uplink that carries. */
const countEvery = ms(500);
/** How often everything is looked through although nobody said so: somebody may have changed it from inside. */
const lookEvery = ms(60_000);
/** RFC 863: whoever is at port 9 throws away what comes. */
const discardPort = 9;

/**
 * The inner half: makes the namespace of the agent what the outer half says: keys, hubs, addresses, routes, sizes. It
 * decides nothing, and while the outer half is away everything stays as it is. Nothing is taken down at its end: the
 * interfaces go with the outer half.
 */
export function startInner(settings: UplinkSettings, parts: UplinkParts): Running {
  const { children, clock, log, notifier } = parts;
  const backoff = new Backoff(ms(500), ms(30_000), parts.random);
  const stopping = new AbortController();
  let newest: Order | undefined;
  let wake = (): void => {};

  const end = openInnerEnd({
    path: join(settings.run, 'halves.sock'),
    clock,
    random: parts.random,
    log,
    onOrder(order) {
      newest = order;
      wake();
    },
  });

  async function apply(order: Order): Promise<boolean> {
    const done = await carryOut(order);
    if (done.ok) {
      backoff.worked();
      if (done.value.length > 0) log.info('The tunnel was changed', { changed: done.value.join('; ') });
      end.say({
        kind: 'applied',
        seq: order.seq,
        changed: done.value.slice(0, 64).map((text) => text.slice(0, 200)),
      });
      return true;
    }
    const { code, detail } = done.fault;
    log.warn('The tunnel could not be set', faultFields(done.fault));
    end.say({ kind: 'failed', seq: order.seq, code, detail: detail.slice(0, 500) });
    return false;
  }

  async function carryOut(order: Order): Promise<Result<string[]>> {
    const tunnels: InnerTunnel[] = [];
    for (const tunnel of order.tunnels) {
      const keyed = withKeys(tunnel);
      if (!keyed.ok) return keyed;
      tunnels.push(keyed.value);
    }
    const applied = await applyInner({ tunnels, addresses: order.addresses, routes: order.routes }, children);
    return applied.ok ? removeStale(order, applied.value) : applied;
  }

  /** Tunnels of hubs that an order before this one had. */
  async function removeStale({ tunnels }: Order, changed: readonly string[]): Promise<Result<string[]>> {
    const form = new RegExp(`^${settings.interface}\\d$`);
    const wanted = new Set(tunnels.map((tunnel) => tunnel.interface));
    const stale = [...readInterfaceCounters().keys()].filter((name) => form.test(name) && !wanted.has(name));
    for (const name of stale) {
      const gone = await step(children, 'TUNNEL_FAILED', `removing ${name}`, ip, [
        'link',
        'delete',
        'dev',
        name,
      ]);
      if (!gone.ok) return gone;
    }
    return ok([...changed, ...stale.map((name) => `${name} removed`)]);
  }

  async function work(): Promise<void> {
    let done: Order | undefined;
    let nudged = 0;
    let looked = clock.monotonic();
    let fed = clock.monotonic();
    let counted = '';
    await notifier.ready('Waiting for the outer half');
    while (!stopping.signal.aborted) {
      const order = newest;
      let delay = countEvery;
      const now = clock.monotonic();
      if (order !== undefined && (order !== done || now - looked >= lookEvery)) {
        looked = now;
        if (await apply(order)) {
          if (done === undefined) await notifier.status('Configured');
          done = order;
          if (order.nudge !== nudged) {
            nudged = order.nudge;
            nudge(order.tunnels);
          }
        } else {
          done = undefined;
          delay = backoff.next();
        }
      }
      counted = count(order?.tunnels ?? [], counted);
      if (notifier.watchdogEvery !== undefined && clock.monotonic() - fed >= notifier.watchdogEvery / 2) {
        fed = clock.monotonic();
        await notifier.alive();
      }
      if (newest !== order) continue;
      await sleep(delay);
    }
  }

  /** Waits, but no longer than until the next order. */
  async function sleep(delay: typeof countEvery): Promise<void> {
    // Twice a second for years: no signals that are made anew each time and wait for the collector.
    await new Promise<void>((resolve) => {
      const cancel = clock.after(delay, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    wake = () => {};
  }

  function count(tunnels: readonly TunnelOrder[], before: string): string {
    if (tunnels.length === 0) return before;
    const all = readInterfaceCounters();
    const found = tunnels.flatMap((tunnel): Counters[] => {
      const one = all.get(tunnel.interface);
      return one === undefined ? [] : [one];
    });
    const now = JSON.stringify(found);
    if (now !== before) end.say({ kind: 'counters', tunnels: found });
    return now;
  }

  function nudge(tunnels: readonly TunnelOrder[]): void {
    const socket = createSocket('udp4');
    // A hub that is out of reach answers with an error, which is no news here.
    socket.on('error', () => {});
    let left = tunnels.length;
    if (left === 0) socket.close();
    for (const { hubAddress } of tunnels)
      socket.send('.', discardPort, hubAddress, () => {
        if (--left === 0) socket.close();
      });
  }

  const over = work();
  return {
    ended: over.then(() => ok(undefined)),
    async close() {
      stopping.abort();
      wake();
      end.close();
      await over;
    },
  };
}

function withKeys(tunnel: TunnelOrder): Result<InnerTunnel> {
  const privateKey = secretOf(tunnel.keyFile);
  if (!privateKey.ok) return privateKey;
  const presharedKey = tunnel.presharedKeyFile === null ? undefined : secretOf(tunnel.presharedKeyFile);
  if (presharedKey?.ok === false) return presharedKey;
  return ok({
    interface: tunnel.interface,
    mtu: tunnel.mtu,
    privateKey: privateKey.value,
    peer: {
      publicKey: tunnel.publicKey,
      ...(presharedKey !== undefined && { presharedKey: presharedKey.value }),
      ...(tunnel.endpoint !== null && { endpoint: tunnel.endpoint }),
      allowedIps: tunnel.allowedIps,
      keepaliveSeconds: tunnel.keepaliveSeconds,
    },
  });
}

function secretOf(file: string): Result<string> {
  try {
    return ok(readFileSync(file, 'utf8').trim());
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
}
