import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wall } from '#contracts/units.ts';
import { type LineStatus, lineStates, type UplinkStatus, uplinkStates } from '#contracts/uplink.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { agedStatus, describeUplink } from './words.ts';

const now = wall(Date.parse('2026-11-25T08:15:00.000Z'));
const words = (changes: Partial<UplinkStatus> = {}): string[] =>
  describeUplink({ ...wellStatus, ...changes }, now);
/** The lines of one section, without its title. */
const sectionOf = (lines: readonly string[], title: string): string[] => {
  const at = lines.findIndex((line) => line.startsWith(title));
  const rest = lines.slice(at + 1);
  const end = rest.indexOf('');
  return at < 0 ? [] : rest.slice(0, end < 0 ? undefined : end);
};

const line = (name: 'dsl' | 'lte', changes: Partial<LineStatus>): LineStatus => {
  const found = wellStatus.uplinks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return { ...found, ...changes };
};
const [hubOne, hubTwo] = wellStatus.hubs;
if (hubOne === undefined || hubTwo === undefined) throw new Error('two hubs are wanted');
const dead = (hub: string) => ({ hub, state: 'down', loss: 1, delayMillis: null }) as const;

describe('In plain words', () => {
  test('All is well', () => {
    expect(words()).toEqual([
      'Connected through dsl and hub-one for 3 min.',
      'Why: the preferred one works',
      '',
      'Uplinks (> carries)',
      '> dsl, eth0: works, for 3 min',
      '    Seen: both hubs answer',
      '    hub-one loss 0 %, 24 ms; hub-two loss 1 %, 31 ms',
      '    Packets up to 1420 bytes; a failure is noticed within 2 s',
      '  lte, wwan0 (metered): works, for 2 h',
      '    Seen: hub-one answers',
      '    hub-one loss 0 %, 88 ms; hub-two not tested yet',
      '    Packets up to 1280 bytes; a failure is noticed within 1 min',
      '    12.4 MB this month',
      '',
      'Hubs (> carries)',
      '> hub-one, 192.0.2.1:51820: answers, for 3 min',
      '    In force is the key of 2026-11-03, 22 days old',
      '  hub-two, [2001:db8::2]:51820: answers, for 3 min',
      '    In force is the key of the enrolment',
      '',
      'This terminal',
      '  Firewall: only the closed list passes',
      '  Configuration: version 3, in force',
      '  Clock: last verified 2026-11-25 03:00 UTC; differs from the hub’s by 12 ms',
      '',
      'Tried lately',
      '    3 min ago  hub-one carries over dsl',
      '    3 min ago  hub-one answered over dsl',
    ]);
  });

  test('Another uplink has taken over', () => {
    const lines = words({
      carrying: { uplink: 'lte', hub: 'hub-one', since: 42, why: 'dsl lost 3 probes in a row' },
      uplinks: [
        line('dsl', {
          state: 'no-carrier',
          evidence: 'eth0 has no carrier',
          since: 43,
          carries: false,
          mtu: null,
          detectSeconds: 0,
          paths: [dead('hub-one'), dead('hub-two')],
        }),
        line('lte', { carries: true, detectSeconds: 2 }),
      ],
    });
    expect(lines.slice(0, 2)).toEqual([
      'Connected through lte and hub-one for 42 s.',
      'Why: dsl lost 3 probes in a row',
    ]);
    expect(sectionOf(lines, 'Uplinks').slice(0, 4)).toEqual([
      '  dsl, eth0: no cable or no radio network, for 43 s',
      '    Seen: eth0 has no carrier',
      '    hub-one no answer, loss 100 %; hub-two no answer, loss 100 %',
      '> lte, wwan0 (metered): works, for 2 h',
    ]);
  });

  test('A captive portal', () => {
    const lines = words({
      state: 'lines-down',
      evidence: 'dsl: a portal wants a login',
      since: 75,
      carrying: null,
      uplinks: [
        line('dsl', {
          state: 'captive-portal',
          evidence: 'http://check.example/ answered 302 to http://login.example/',
          since: 80,
          carries: false,
          paths: [],
        }),
      ],
    });
    expect(lines.slice(0, 2)).toEqual([
      'NOT CONNECTED: no uplink works, for 1 min.',
      'Seen: dsl: a portal wants a login',
    ]);
    expect(sectionOf(lines, 'Uplinks').slice(0, 2)).toEqual([
      '  dsl, eth0: a portal wants a login, for 1 min',
      '    Seen: http://check.example/ answered 302 to http://login.example/',
    ]);
  });

  test('A SIM card without data', () => {
    const uplinks = [
      line('lte', { state: 'no-data', evidence: '12 probes sent, nothing came back', since: 600, paths: [] }),
    ];
    expect(sectionOf(words({ uplinks }), 'Uplinks').slice(0, 3)).toEqual([
      '  lte, wwan0 (metered): connected, but no data comes back (SIM without data, or',
      '    the line is dead behind the router), for 10 min',
      '    Seen: 12 probes sent, nothing came back',
    ]);
  });

  test('Both hubs are down', () => {
    const lines = words({
      state: 'hubs-down',
      evidence: 'dsl and lte have data, hub-one and hub-two do not answer',
      since: 300,
      carrying: null,
      hubs: [
        { ...hubOne, state: 'silent', since: 301, carries: false },
        { ...hubTwo, state: 'silent', since: 302, carries: false, endpoint: null },
      ],
    });
    expect(lines.slice(0, 3)).toEqual([
      'NOT CONNECTED: the lines work, but no hub answers over any of them, for 5 min.',
      'Seen: dsl and lte have data, hub-one and hub-two do not answer',
      '',
    ]);
    expect(sectionOf(lines, 'Hubs').filter((one) => !one.includes('key'))).toEqual([
      '  hub-one, 192.0.2.1:51820: does not answer, for 5 min',
      '  hub-two: does not answer, for 5 min',
    ]);
  });

  test('The helper is starting', () => {
    const untested = { state: 'untested', since: 2, evidence: '', carries: false, mtu: null } as const;
    const lines = words({
      state: 'starting',
      evidence: '',
      since: 2,
      carrying: null,
      uplinks: [line('dsl', { ...untested, paths: [], detectSeconds: 0 })],
      hubs: [{ ...hubOne, state: 'untested', since: 2, carries: false }],
      inner: 'waiting',
      configuration: { version: 0, state: 'current', detail: '' },
      clock: { floor: null, hubOffsetMillis: null },
      events: [],
    });
    expect(lines).toEqual([
      'NOT CONNECTED: starting, for 2 s.',
      '',
      'Uplinks (> carries)',
      '  dsl, eth0: not tested yet, for 2 s',
      '',
      'Hubs (> carries)',
      '  hub-one, 192.0.2.1:51820: not tested yet, for 2 s',
      '    In force is the key of 2026-11-03, 22 days old',
      '',
      'This terminal',
      '  Firewall: only the closed list passes',
      '  Inner half: has not yet applied what it was told',
      '  Configuration: the file of the terminal, in force',
      '  Clock: never verified',
    ]);
  });

  test('A key is being changed, and one that could not be', () => {
    const lines = words({
      hubs: [
        {
          ...hubOne,
          key: { state: 'rotating', rotatedAt: null, detail: 'offered, waiting for a handshake' },
        },
        {
          ...hubTwo,
          key: { state: 'failed', rotatedAt: '2026-10-01T00:00:00Z', detail: 'the hub refused it' },
        },
      ],
    });
    expect(sectionOf(lines, 'Hubs').filter((one) => one.startsWith('    '))).toEqual([
      '    The key is being changed: offered, waiting for a handshake',
      '    A new key could not be brought into force: the hub refused it; in force is',
      '    the key of 2026-10-01, 55 days old',
    ]);
  });

  test('A metered uplink is over its budget', () => {
    const uplinks = [line('lte', { overBudget: true, monthBytes: 1_003_000_000 })];
    expect(sectionOf(words({ uplinks }), 'Uplinks').slice(-2)).toEqual([
      '    1003.0 MB this month; the data budget is used up: it carries only when no',
      '    other works',
    ]);
  });

  test('Faults come with their remedy; one of another release with its code', () => {
    const faults = [
      { code: 'FIREWALL_FAILED', detail: 'nft ended with code 1.', since: 61 },
      { code: 'toString', detail: '', since: 5 },
    ];
    expect(sectionOf(words({ faults }), 'Faults')).toEqual([
      '  FIREWALL_FAILED, for 1 min: The closed list could not be loaded into the',
      '    firewall.',
      '    nft ended with code 1.',
      '    What to do: See the message of the tool in the log; another program may hold',
      '    the rules.',
      '  toString, for 5 s',
    ]);
  });

  test('What was put back, opened, undone or is missing on this terminal is said', () => {
    const lines = words({
      firewall: { state: 'open', mode: 'enrolment', restored: 1 },
      routing: { restored: 3 },
      inner: 'absent',
      configuration: { version: 3, state: 'undone', detail: 'version 4 reached no hub' },
      clock: { floor: '2026-11-25T03:00:00Z', hubOffsetMillis: -90_000 },
    });
    expect(sectionOf(lines, 'This terminal')).toEqual([
      '  Firewall: open to the servers of the enrolment, for a time; put back once',
      '    since the start; routes put back 3 times',
      '  Inner half: IS NOT THERE; see systemctl status checkpost-tunnel',
      '  Configuration: version 3, in force again, since a newer one was undone:',
      '    version 4 reached no hub',
      '  Clock: last verified 2026-11-25 03:00 UTC; differs from the hub’s by 1 min',
    ]);
  });

  test('A key from the future has no age: the clock is behind', () => {
    const hubs = [{ ...hubOne, key: { ...hubOne.key, rotatedAt: '2027-01-01T00:00:00Z' } }];
    expect(sectionOf(words({ hubs }), 'Hubs').at(-1)).toBe('    In force is the key of 2027-01-01');
  });

  test('What is lost a little is not called nothing, and what comes through a little not lost', () => {
    const path = (loss: number) => ({ hub: 'hub-one', state: 'up', loss, delayMillis: 9.6 }) as const;
    const uplinks = [line('dsl', { paths: [path(0.001), path(0.999)] })];
    expect(words({ uplinks })).toContain('    hub-one loss below 1 %, 10 ms; hub-one loss above 99 %, 10 ms');
  });

  test('Every state has its first line, and it fits', () => {
    for (const state of Object.keys(uplinkStates) as (keyof typeof uplinkStates)[]) {
      for (const since of [0, 59, 3599, 8_000_000]) {
        const [first = ''] = words({ state, since, carrying: null });
        expect(first).toMatch(state === 'up' ? /^Connected for / : /^NOT CONNECTED: /);
        expect(first).toMatch(/\.$/);
      }
    }
  });
});

test('Whatever the texts are, no line is longer than 80 columns and nothing can move the cursor', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(
      text,
      fc.constantFrom(...(Object.keys(lineStates) as LineStatus['state'][])),
      (said, state) => {
        const lines = words({
          carrying: { uplink: 'a'.repeat(16), hub: 'b'.repeat(32), since: 9e8, why: said },
          uplinks: [line('dsl', { state, evidence: said })],
          hubs: [{ ...hubOne, key: { state: 'failed', rotatedAt: null, detail: said } }],
          faults: [{ code: said.slice(0, 48), detail: said, since: 1 }],
          events: [{ at: 1, text: said }],
          configuration: { version: 1, state: 'probation', detail: said },
        });
        for (const one of lines) {
          expect(one.length).toBeLessThanOrEqual(80);
          expect(one).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        }
      },
    ),
  );
});

test('A status ages by itself between two changes', () => {
  const [first = ''] = describeUplink(agedStatus(wellStatus, 120.7), now);
  expect(first).toBe('Connected through dsl and hub-one for 5 min.');
  expect(agedStatus(wellStatus, -5)).toEqual(wellStatus);
});
