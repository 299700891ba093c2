import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ok } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import { pause, systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { KeyStore } from '../keys/key-store.ts';
import { hubsOf, type Slot } from '../keys/slots.ts';
import { createHubClient } from './hub-client.ts';
import { rotateSlot, type RotationParts, type RotationStep } from './rotation.ts';

/**
 * For the rig: the terminal's side of a change of key as a process of its own, inside the namespace of the terminal, so
 * that it can be killed after each step. Prints what came of it as one JSON line, with the steps that it took.
 *
 *     node test-terminal.ts CONFIG SLOT rotate|keys|path [STEP to be killed at, or bytes]
 */
export interface TerminalConfig extends Pick<
  UplinkSettings,
  'state' | 'privateKey' | 'presharedKeys' | 'hubs' | 'uplinks'
> {
  readonly probe: { readonly interface: string; readonly address: string };
  /** Interface of the tunnel by hub. */
  readonly tunnels: Readonly<Record<string, string>>;
}

const [file = '', slotName = '', verb = '', more = ''] = process.argv.slice(2);
const slot = slotName as Slot;
const config = JSON.parse(readFileSync(file, 'utf8')) as TerminalConfig;
const names = hubsOf(
  slot,
  config.hubs.map(({ name }) => name),
);
const opened = await KeyStore.open(config, { clock: systemClock });
if (!opened.ok) throw new Error(opened.fault.detail);
const store = opened.value;

/** Key and preshared keys in one call of `wg`, by the files that they lie in; then a packet to each hub. */
const applyKey: RotationParts['applyKey'] = async (slot, which) => {
  const hubs = config.hubs.filter(({ name }) => names.includes(name));
  const [first] = names;
  const device = slot.startsWith('probe-') ? config.probe.interface : (config.tunnels[first ?? ''] ?? '');
  const peers = hubs.flatMap(({ name, publicKey }) => [
    'peer',
    publicKey,
    'preshared-key',
    store.presharedKeyFile(slot, name, which) ?? '/dev/null',
  ]);
  execFileSync('wg', ['set', device, 'private-key', store.keyFile(slot, which), ...peers]);
  for (const { address, probeAddress } of hubs)
    execFile('ping', ['-c', '1', '-W', '1', slot.startsWith('probe-') ? probeAddress : address]);
  return ok(undefined);
};

const hours: string[] = [];
const client = createHubClient({
  hubs: config.hubs,
  from: () => config.probe.address,
  clock: systemClock,
  onTime: (hub, time, took) => hours.push(`${hub} ${time} ${took}`),
});
const steps: RotationStep[] = [];
const parts: RotationParts = {
  store,
  client,
  applyKey,
  clock: systemClock,
  log: createLog('debug', 'terminal'),
  signal: new AbortController().signal,
  onStep: (_, step) => {
    steps.push(step);
    if (step === more) process.kill(process.pid, 'SIGKILL');
  },
};

// The process lives as long as there is something to do.
const alive = setInterval(() => {}, 1000);
const view = store.view(slot);
if (view.ok) await applyKey(slot, view.value.applied);
let outcome: unknown;
if (verb === 'keys') {
  outcome = await Promise.all(names.map((hub) => client.keys(hub)));
} else if (verb === 'path') {
  outcome = await Promise.all(names.map((hub) => client.path(hub, Number(more))));
} else {
  for (let tries = 0; tries < 20; tries++) {
    const done = await rotateSlot(slot, names, parts);
    outcome = done;
    if (done.kind === 'final') break;
    await pause(systemClock, ms(300));
  }
}
process.stdout.write(`${JSON.stringify({ event: 'done', outcome, steps, hours: hours.length })}\n`);
clearInterval(alive);
