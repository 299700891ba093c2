import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok, type Result } from '#contracts/result.ts';
import {
  addSite,
  enrol,
  type Enrolment,
  initAuthority,
  type MadeBundle,
  type Parts,
  setNetwork,
  type Signed,
  signRequest,
  writeBundle,
} from '#provisioning/index.ts';
import { publicKeys } from '#uplink/keys/index.ts';
import { TestClock } from '#runtime/test-clock.ts';

/** Makes the keys of a terminal's uplink, as the command line does. */
export { publicKeys };

/** A bureau with an authority and one site with two terminals, in a folder of its own, on a clock that a test moves. */
export interface Bureau {
  readonly clock: TestClock;
  readonly parts: Parts;
  readonly authority: { readonly dir: string };
  at(...names: string[]): string;
  bundle(options?: {
    readonly site?: string;
    readonly terminal?: number;
    readonly stick?: string;
  }): Promise<MadeBundle>;
  enrol(
    code?: string,
    names?: { readonly stick?: string; readonly state?: string },
  ): Promise<Result<Enrolment>>;
  sign(stick?: string): Promise<Result<Signed>>;
  /** Bundle, request, answer and installation of a terminal: its state folder. */
  enrolled(terminal?: number): Promise<string>;
  close(): void;
}

export const bureauSite = {
  id: 'UTO-0001',
  name: 'Specimen crossing',
  timeZone: 'UTC',
  latitude: null,
  longitude: null,
  terminals: 2,
} as const;

/** The uplinks of the site, and the network of the bureau, where terminals are to have a tunnel. */
export const bureauUplinks = [
  { name: 'dsl', device: 'eth0', kind: 'ethernet', metered: false, monthlyMegabytes: 0 },
  { name: 'lte', device: 'wwan0', kind: 'lte', metered: true, monthlyMegabytes: 500 },
] as const;
export const bureauNetwork = {
  tunnel: '10.77.0.0/24',
  probes: '10.78.0.0/24',
  reach: ['10.80.0.0/16'],
  hubs: ['one', 'two'].map((name, at) => ({
    name,
    publicKey: `${'ab'[at]?.repeat(42)}A=`,
    endpoint: `192.0.2.${at + 1}:51820`,
    // Inside of the plan: nobody else may get them.
    address: `10.77.0.${at + 1}`,
    probeAddress: `10.78.0.${at + 1}`,
  })),
} as const;

export async function makeBureau({ tunnel = false } = {}): Promise<Bureau> {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-bureau-'));
  const at = (...names: string[]): string => join(folder, ...names);
  // Near now, so that the certificates hold for the real clock of TLS as well.
  const clock = new TestClock(new Date().toISOString());
  const parts: Parts = { clock, random: (bytes) => randomFillSync(bytes) };
  const authority = { dir: at('authority') };
  valueOf(await initAuthority({ ...authority, bureau: 'UTO', passphrase: null }, parts));
  if (tunnel) {
    writeFileSync(at('network.json'), JSON.stringify(bureauNetwork));
    valueOf(await setNetwork({ ...authority, file: at('network.json') }));
  }
  const site = { ...bureauSite, ...(tunnel && { uplinks: [...bureauUplinks] }) };
  valueOf(await addSite({ ...authority, site }, parts));
  const bureau: Bureau = {
    clock,
    parts,
    authority,
    at,
    async bundle({ site: of = bureauSite.id, terminal = 1, stick = 'stick' } = {}) {
      const order = {
        ...authority,
        site: of,
        terminal,
        out: at(stick),
        centralUrl: 'https://localhost:8443',
        fleetUrl: 'mqtts://localhost:8883',
      };
      return valueOf(await writeBundle(order, parts));
    },
    enrol(code, { stick = 'stick', state = 'terminal' } = {}) {
      const askCode = async (): Promise<Result<string>> => {
        if (code === undefined) throw new Error('The code was asked for');
        return ok(code);
      };
      const tunnel = { folder: at(`${state}-uplink`), publicKeys };
      return enrol({ stick: at(stick), state: at(state), tunnel, askCode }, parts);
    },
    sign: (stick = 'stick') => signRequest({ ...authority, request: at(stick) }, parts),
    async enrolled(terminal = 1) {
      const names = { stick: `stick-${terminal}`, state: `terminal-${terminal}` };
      const { code } = await bureau.bundle({ terminal, stick: names.stick });
      valueOf(await bureau.enrol(code, names));
      valueOf(await bureau.sign(names.stick));
      valueOf(await bureau.enrol(undefined, names));
      return at(names.state);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
  return bureau;
}

/** The value; a fault fails the test with its words. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.code}: ${result.fault.detail}`);
  return result.value;
}

/** The code of the fault, or undefined where there is none. */
export function faultOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.fault.code;
}

/** Every file below a folder with its bytes, by its path from there. */
export function filesBelow(folder: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
}
