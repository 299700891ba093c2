import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Check } from 'typebox/value';
import { Reported } from '#contracts/configuration.ts';
import { fail } from '#contracts/result.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { desired, limits, message, otherBroker, sign, TestTerminal, trusted, written } from './test-bench.ts';

let folder: string;
let clock: TestClock;
let terminal: TestTerminal;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-desired-'));
  clock = new TestClock();
  terminal = new TestTerminal(join(folder, 'configuration'), clock);
  await terminal.process();
});
afterEach(async () => {
  await terminal.close();
  rmSync(folder, { recursive: true, force: true });
});

const debug = { log: { level: 'debug' } };
const settings = () => terminal.configuration.settings;
const reported = () => terminal.configuration.reported(7);
/** Takes a configuration and lets the centre be reached with it. */
async function confirmed(version: number, values: object, more: object = {}): Promise<void> {
  expect(await terminal.take(message(version, values, more))).toBe('accepted');
  terminal.attached.reached();
  await terminal.pass(0);
  expect(terminal.state).toBe(`${version} current`);
}
/** Time enough for a configuration that fails to be undone. */
const wholeTime = 300_000;

describe('What the centre wants', () => {
  test('Before it has said anything, what enrolment wrote runs, and it is reported who set what', () => {
    expect(terminal.state).toBe('0 current');
    expect(reported()).toMatchObject({ v: 1, session: 7, running: 0, state: 'current', refused: null });
    expect(reported().settings).toContainEqual({
      path: 'fleet.url',
      source: 'enrolled',
      value: 'mqtts://old.test',
    });
    expect(reported().settings.some(({ path }) => path === 'log.level')).toBe(false);
    expect(Check(Reported, reported())).toBe(true);
  });

  test('It runs on probation after a new start, and for good when the centre has been reached with it', async () => {
    expect(await terminal.take(message(3, debug))).toBe('accepted');
    expect(terminal.restarts).toBe(1);
    expect(settings().log.level).toBe('debug');
    expect(terminal.state).toBe('3 probation');
    await terminal.pass(10 * wholeTime);
    expect(terminal.state).toBe('3 probation');
    terminal.attached.reached();
    await terminal.pass(0);
    expect(terminal.state).toBe('3 current');
    expect(terminal.told).toEqual(['3 probation', '3 current']);
    expect(reported().settings).toContainEqual({ path: 'log.level', source: 'fleet', value: 'debug' });
    await terminal.pass(10 * wholeTime);
    await terminal.process();
    expect(terminal.state).toBe('3 current');
    expect(settings().log.level).toBe('debug');
    expect(clock.waiting).toBe(0);
  });

  test('The same again, as a retained message comes, is silence, also when it was signed anew', async () => {
    await confirmed(3, debug);
    expect(await terminal.take(message(3, debug))).toBe('same');
    expect(await terminal.take(message(3, debug, { at: '2026-02-01T00:00:00.000Z' }))).toBe('same');
    expect(terminal.told).toEqual(['3 probation', '3 current']);
  });

  test('One that changes nothing that runs needs no new start', async () => {
    await confirmed(3, debug);
    expect(await terminal.take(message(4, { log: { level: 'debug' } }, {}))).toBe('accepted');
    expect([terminal.state, terminal.restarts]).toEqual(['4 current', 1]);
  });

  test('It is owed to the centre under the new configuration, so that there is something to acknowledge', async () => {
    await terminal.attached.take(message(3, otherBroker));
    expect(terminal.told).toEqual([]);
    await terminal.agent();
    expect(terminal.told).toEqual(['3 probation']);
  });

  test('A word of the controller that was meant for the start before confirms nothing', async () => {
    const { attached } = terminal;
    await attached.take(message(3, otherBroker));
    attached.reached();
    await terminal.pass(0);
    expect(terminal.state).toBe('3 probation');
    await terminal.agent();
    attached.reached();
    await terminal.pass(0);
    expect(terminal.state).toBe('3 probation');
  });

  test('Each file is for nobody else to read', async () => {
    await confirmed(3, debug);
    const files = readdirSync(terminal.folder);
    expect(files).toEqual(['current.json']);
    expect(statSync(join(terminal.folder, 'current.json')).mode & 0o777).toBe(0o600);
  });

  test('A higher one takes the place of one on probation; what comes back is the one that was confirmed', async () => {
    await confirmed(1, debug);
    await terminal.take(message(2, otherBroker));
    await terminal.take(message(3, { ...otherBroker, log: { level: 'warn' } }));
    expect(terminal.state).toBe('3 probation');
    terminal.oldWorks = true;
    await terminal.pass(wholeTime);
    await terminal.agent();
    expect(settings()).toMatchObject({ log: { level: 'debug' }, fleet: { url: 'mqtts://old.test' } });
    expect(terminal.state).toBe('1 undone');
  });
});

describe('What is refused', () => {
  const layer = (scope: object, values: object) => ({ layers: [{ scope, values }] });
  const fleet = { layer: 'fleet' };
  const shorter = { editionMaxAgeSeconds: 3600 };

  test.each<[string, () => string, string, string, number]>([
    ['nothing that is JSON', () => '{', 'ENVELOPE_INVALID', 'not JSON', 0],
    ['signed by nobody', () => JSON.stringify(desired(9)), 'ENVELOPE_INVALID', '', 0],
    [
      'signed by the key of the limits',
      () => JSON.stringify(sign(desired(9), { by: 'offline' })),
      'SIGNATURE_REFUSED',
      '',
      0,
    ],
    [
      'of another type',
      () => JSON.stringify(sign(desired(9), { type: 'application/json' })),
      'ENVELOPE_INVALID',
      '',
      0,
    ],
    [
      'changed after it was signed',
      () => JSON.stringify({ ...sign(desired(9)), payload: sign(desired(10)).payload }),
      'SIGNATURE_REFUSED',
      '',
      0,
    ],
    [
      'for another terminal',
      () => JSON.stringify(sign(desired(9, { terminal: 'UTO-0001-2' }))),
      'CONFIGURATION_NOT_FOR_US',
      'UTO-0001-2',
      0,
    ],
    ['older than what runs', () => message(4, {}), 'CONFIGURATION_OLDER', 'version 4', 4],
    [
      'of the version that runs, with something else',
      () => message(5, otherBroker),
      'CONFIGURATION_OLDER',
      'something else',
      5,
    ],
    [
      'with a layer of another site',
      () => JSON.stringify(sign(desired(9, layer({ layer: 'site', key: 'UTO-0002' }, debug)))),
      'CONFIGURATION_NOT_FOR_US',
      'UTO-0002',
      9,
    ],
    [
      'with a setting that does not exist',
      () => message(9, { fleet: { urll: 'x' } }),
      'CONFIGURATION_INVALID',
      'fleet.urll: is not a setting',
      9,
    ],
    [
      'with a setting that no layer may set',
      () => message(9, { keys: '/tmp' }),
      'CONFIGURATION_INVALID',
      'keys: is not a setting',
      9,
    ],
    [
      'with an age limit in a layer',
      () => message(9, { policy: shorter }),
      'CONFIGURATION_INVALID',
      'policy.editionMaxAgeSeconds: is not a setting',
      9,
    ],
    [
      'with a value out of range',
      () => message(9, { fleet: { keepAliveSeconds: 1 } }),
      'CONFIGURATION_INVALID',
      'fleet.keepAliveSeconds: found 1',
      9,
    ],
    [
      'with a layer twice',
      () =>
        JSON.stringify(
          sign(
            desired(9, {
              layers: [
                { scope: fleet, values: {} },
                { scope: fleet, values: {} },
              ],
            }),
          ),
        ),
      'CONFIGURATION_INVALID',
      'twice',
      9,
    ],
    [
      'with limits by the online key',
      () => message(9, {}, { limits: [limits(2, fleet, shorter, 'online')] }),
      'SIGNATURE_REFUSED',
      'limits',
      9,
    ],
    [
      'with limits of another bureau',
      () => message(9, {}, { limits: [limits(2, { layer: 'bureau', key: 'ABC' }, shorter)] }),
      'CONFIGURATION_NOT_FOR_US',
      'ABC',
      9,
    ],
    [
      'with a limit that is none',
      () => message(9, {}, { limits: [limits(2, fleet, { repeatMillis: 1 })] }),
      'CONFIGURATION_INVALID',
      'policy.repeatMillis',
      9,
    ],
    ['with something more', () => message(9, {}, { more: 1 }), 'CONFIGURATION_INVALID', '', 9],
  ])('One %s', async (_, text, code, detail, version) => {
    await confirmed(5, debug);
    expect(await terminal.take(text())).toBe(code);
    expect(terminal.state).toBe('5 refused');
    expect(reported().refused).toMatchObject({ version, code });
    expect(reported().refused?.detail).toContain(detail);
    expect(terminal.told.slice(2)).toEqual(version === 0 ? [] : [`${version} refused ${code}`]);
    expect(settings().log.level).toBe('debug');
    expect(Check(Reported, reported())).toBe(true);
    expect(terminal.restarts).toBe(1);
  });

  test('It is said once, although it comes with every session, and not tried again until a higher one comes', async () => {
    const wrong = message(9, { more: 1 });
    await terminal.take(wrong);
    expect(await terminal.take(wrong)).toBe('CONFIGURATION_FAILED_BEFORE');
    await terminal.process();
    expect(terminal.state).toBe('0 refused');
    expect(await terminal.take(wrong)).toBe('CONFIGURATION_FAILED_BEFORE');
    expect(terminal.told).toEqual(['9 refused CONFIGURATION_INVALID']);
    await confirmed(10, debug);
    expect(reported().refused).toBeNull();
  });

  test('Old ones that are sent again and again in turn fill neither the record nor what is owed', async () => {
    await confirmed(300, debug);
    const before = terminal.told.length;
    for (let turn = 0; turn < 4; turn++) {
      for (let version = 1; version < 200; version++) {
        expect(await terminal.take(message(version, debug))).toBe('CONFIGURATION_OLDER');
      }
    }
    expect(terminal.told.length - before).toBeLessThanOrEqual(20);
    expect(reported().refused).toMatchObject({ version: 199, code: 'CONFIGURATION_OLDER' });
  });

  test('A forged one is forgotten when the real one comes again', async () => {
    await confirmed(5, debug);
    await terminal.take('{}');
    await terminal.take(message(5, debug));
    expect(terminal.state).toBe('5 current');
    expect(reported().refused).toBeNull();
  });

  test('What the agent itself finds wrong in the whole is refused with its words', async () => {
    terminal.check = () => fail('SETTINGS_INVALID', 'readers.0.profile: found nonsense');
    expect(await terminal.take(message(9, debug))).toBe('CONFIGURATION_INVALID');
    expect(reported().refused?.detail).toContain('found nonsense');
  });

  test('One that is wrong does not end the probation of the one before it', async () => {
    await terminal.take(message(5, otherBroker));
    await terminal.take(message(6, { more: 1 }));
    expect(terminal.state).toBe('5 probation');
    await terminal.process();
    expect(terminal.state).toBe('5 probation');
  });
});

describe('Age limits', () => {
  const hour = { editionMaxAgeSeconds: 3600 };
  const day = { editionMaxAgeSeconds: 86_400 };
  const fleet = { layer: 'fleet' };
  const age = () => settings().policy.editionMaxAgeSeconds;

  test('They stay when the online key leaves them out, and are lifted by a higher version of the offline key alone', async () => {
    await confirmed(1, debug, { limits: [limits(2, fleet, hour)] });
    expect(age()).toBe(3600);
    expect(reported().settings).toContainEqual({
      path: 'policy.editionMaxAgeSeconds',
      source: 'limits',
      value: 3600,
    });
    await confirmed(2, { log: { level: 'warn' } });
    expect(age()).toBe(3600);
    expect(await terminal.take(message(3, debug, { limits: [limits(1, fleet, day)] }))).toBe(
      'CONFIGURATION_OLDER',
    );
    expect(await terminal.take(message(4, debug, { limits: [limits(2, fleet, day)] }))).toBe(
      'CONFIGURATION_OLDER',
    );
    await confirmed(5, debug, { limits: [limits(3, fleet, {})] });
    expect(age()).toBe(172_800);
  });

  test('The narrowest scope wins', async () => {
    const site = { layer: 'site', key: 'UTO-0001' };
    await confirmed(1, debug, { limits: [limits(1, site, hour), limits(9, fleet, day)] });
    expect(age()).toBe(3600);
  });
});

describe('A configuration on probation', () => {
  test('A wrong broker: it goes back by itself, says so, and refuses that version until a higher one comes', async () => {
    await terminal.take(message(3, otherBroker));
    terminal.oldWorks = true;
    await terminal.pass(wholeTime - 1);
    expect(terminal.state).toBe('3 probation');
    await terminal.pass(1);
    expect([terminal.state, terminal.restarts]).toEqual(['0 undone', 2]);
    await terminal.agent();
    expect(settings().fleet.url).toBe('mqtts://old.test');
    expect(terminal.told).toEqual(['3 probation', '3 undone CONFIGURATION_CUT_OFF']);
    expect(reported()).toMatchObject({
      running: 0,
      state: 'undone',
      refused: { version: 3, code: 'CONFIGURATION_CUT_OFF' },
    });
    expect(await terminal.take(message(3, otherBroker))).toBe('CONFIGURATION_FAILED_BEFORE');
    await terminal.process();
    expect(terminal.state).toBe('0 undone');
    expect(await terminal.take(message(3, otherBroker))).toBe('CONFIGURATION_FAILED_BEFORE');
    await confirmed(4, debug);
  });

  test('A lookup service that does not answer: it goes back, although the controller was reached', async () => {
    await terminal.take(message(3, { central: { url: 'https://nowhere.test' } }));
    terminal.attached.reached();
    await terminal.pass(10 * wholeTime);
    expect(terminal.state).toBe('3 probation');
    terminal.oldLookups = true;
    await terminal.pass(wholeTime);
    expect(terminal.state).toBe('0 undone');
    await terminal.agent();
    expect(settings().central.url).toBe('https://central.test');
    expect(terminal.told).toEqual(['3 probation', '3 undone CONFIGURATION_CUT_OFF']);
    await terminal.take(message(4, { central: { url: 'https://other.test' } }));
    terminal.lookups = true;
    terminal.attached.reached();
    await terminal.pass(30_000);
    expect(terminal.state).toBe('4 current');
  });

  test('An outage that the one before would have had too does not count', async () => {
    await terminal.take(message(3, otherBroker));
    terminal.oldWorks = true;
    await terminal.pass(wholeTime - 30_000);
    terminal.oldWorks = false;
    await terminal.pass(100 * wholeTime);
    expect(terminal.state).toBe('3 probation');
    terminal.oldWorks = true;
    await terminal.pass(30_000);
    expect(terminal.state).toBe('0 undone');
  });

  test('Where the broker is the same, not reaching it proves nothing', async () => {
    await terminal.take(message(3, { fleet: { sampleMillis: 1000 } }));
    terminal.oldWorks = true;
    await terminal.pass(100 * wholeTime);
    expect(terminal.state).toBe('3 probation');
  });

  test('A broker that takes the session, and nobody behind it answers: it goes back after four times as long', async () => {
    await terminal.take(message(3, otherBroker));
    [terminal.oldWorks, terminal.connected] = [true, true];
    await terminal.pass(4 * wholeTime - 1);
    expect(terminal.state).toBe('3 probation');
    await terminal.pass(1);
    expect(terminal.state).toBe('0 undone');
  });

  test('A reader that is not there: it goes back although the centre is reached', async () => {
    await terminal.take(message(3, { readers: [{ id: 'counter-1', device: '/dev/wrong' }] }));
    terminal.readers = [{ id: 'counter-1', device: '/dev/wrong', state: 'absent' }];
    terminal.attached.reached();
    await terminal.pass(wholeTime);
    expect(terminal.state).toBe('0 undone');
    expect(terminal.told).toContain('3 undone CONFIGURATION_READER_LOST');
    expect(reported().refused?.detail).toContain('/dev/wrong is absent');
  });

  test('A reader that was unplugged meanwhile does not send it back; when it is ready again it is confirmed', async () => {
    await terminal.take(message(3, debug));
    terminal.readers = [{ id: 'counter-1', device: '/dev/old', state: 'absent' }];
    terminal.present = new Set();
    terminal.attached.reached();
    await terminal.pass(100 * wholeTime);
    expect(terminal.state).toBe('3 probation');
    terminal.readers = [{ id: 'counter-1', device: '/dev/old', state: 'ready' }];
    await terminal.pass(30_000);
    expect(terminal.state).toBe('3 current');
  });

  test('Time that counted is kept over power cuts, and time without power does not count', async () => {
    await terminal.take(message(3, otherBroker));
    terminal.oldWorks = true;
    for (let start = 0; start < 3; start++) {
      await terminal.pass(90_000);
      terminal.boot = `boot-${start + 2}`;
      await terminal.process();
      expect(terminal.state).toBe('3 probation');
    }
    await terminal.pass(30_000);
    expect(terminal.state).toBe('0 undone');
  });

  test('One that makes the agent crash three times is undone before it is started a fourth time', async () => {
    await terminal.take(message(3, debug));
    await terminal.process();
    await terminal.process();
    expect(terminal.state).toBe('3 probation');
    await terminal.process();
    expect(terminal.state).toBe('0 undone');
    expect(settings().log.level).toBe('info');
    expect(terminal.told).toEqual([...Array(3).fill('3 probation'), '3 undone CONFIGURATION_CRASHED']);
  });

  test('An agent that is stopped in order has not crashed', async () => {
    await terminal.take(message(3, debug));
    for (let start = 0; start < 5; start++) {
      await terminal.configuration.end();
      await terminal.process();
    }
    expect(terminal.state).toBe('3 probation');
  });

  test('One with which the agent does not start is undone where it starts with the one before', async () => {
    await terminal.attached.take(message(3, debug));
    await terminal.configuration.begin();
    expect(settings().log.level).toBe('debug');
    expect(await terminal.configuration.startFailed({ code: 'PORT_IN_USE', detail: 'x' })).toBe(true);
    expect(settings().log.level).toBe('info');
    await terminal.agent();
    expect(terminal.state).toBe('0 undone');
    expect(reported().refused?.detail).toContain('PORT_IN_USE');
  });

  test('Where the agent does not start with the one before either, nothing is proven', async () => {
    await terminal.attached.take(message(3, debug));
    for (let start = 0; start < 5; start++) {
      await terminal.configuration.begin();
      expect(await terminal.configuration.startFailed({ code: 'STORE_LOCKED', detail: 'x' })).toBe(true);
      expect(await terminal.configuration.startFailed({ code: 'STORE_LOCKED', detail: 'x' })).toBe(false);
      await terminal.process();
      expect(terminal.state).toBe('3 probation');
    }
  });

  test('Without one on probation a failed start is what it is', async () => {
    expect(await terminal.configuration.startFailed({ code: 'STORE_LOCKED', detail: 'x' })).toBe(false);
  });
});

describe('The disk', () => {
  /** Lets so many writes through, and then the power is cut. */
  const cutAfter = (writes: number): typeof replaceFile => {
    let left = writes;
    return (...args) => {
      if (left-- <= 0) throw new Error('the power was cut');
      return replaceFile(...args);
    };
  };
  const powerOn = async (): Promise<void> => {
    terminal.replace = replaceFile;
    terminal.boot = 'boot-2';
    await terminal.process();
  };

  test('A cut while one is accepted leaves the one that ran', async () => {
    await confirmed(1, debug);
    terminal.replace = cutAfter(0);
    expect(await terminal.attached.take(message(2, otherBroker))).toMatchObject({
      ok: false,
      fault: { code: 'INTERNAL' },
    });
    await powerOn();
    expect(terminal.state).toBe('1 current');
    expect(await terminal.take(message(2, otherBroker))).toBe('accepted');
  });

  test('A cut while one is confirmed leaves it on probation', async () => {
    await terminal.take(message(2, debug));
    terminal.replace = cutAfter(0);
    terminal.attached.reached();
    await terminal.pass(0);
    await powerOn();
    expect(terminal.state).toBe('2 probation');
    terminal.attached.reached();
    await terminal.pass(0);
    expect(terminal.state).toBe('2 current');
  });

  test.each(['current', 'refused'])(
    'A cut after %s was written and before the probation is removed',
    async (which) => {
      await terminal.take(message(2, otherBroker));
      const left = join(terminal.folder, 'probation.json');
      const probation = readFileSync(left);
      if (which === 'current') terminal.attached.reached();
      else terminal.oldWorks = true;
      await terminal.pass(which === 'current' ? 0 : wholeTime);
      writeFileSync(left, probation);
      await powerOn();
      expect(terminal.state).toBe(which === 'current' ? '2 current' : '0 undone');
    },
  );

  test('A cut while one is undone leaves it on probation, and the next look undoes it', async () => {
    await terminal.take(message(2, otherBroker));
    terminal.oldWorks = true;
    await terminal.pass(wholeTime - 30_000);
    terminal.replace = cutAfter(0);
    await terminal.pass(30_000);
    await powerOn();
    expect(terminal.state).toBe('2 probation');
    await terminal.pass(30_000);
    expect(terminal.state).toBe('0 undone');
  });

  test('A disk that takes nothing: none is begun; one is undone all the same; one that works is confirmed later', async () => {
    const full: typeof replaceFile = () => Promise.resolve(fail('FILE_REFUSED', 'ENOSPC'));
    terminal.replace = full;
    expect(await terminal.take(message(1, otherBroker))).toBe('FILE_REFUSED');
    expect(terminal.state).toBe('0 refused');
    terminal.replace = replaceFile;
    expect(await terminal.take(message(1, otherBroker))).toBe('accepted');
    terminal.replace = full;
    terminal.oldWorks = true;
    await terminal.pass(wholeTime);
    await terminal.agent();
    expect(terminal.state).toBe('0 undone');
    expect(settings().fleet.url).toBe('mqtts://old.test');
    terminal.replace = replaceFile;
    await terminal.take(message(2, debug));
    terminal.replace = full;
    terminal.attached.reached();
    await terminal.pass(10 * wholeTime);
    expect(terminal.state).toBe('2 probation');
    terminal.replace = replaceFile;
    await terminal.pass(30_000);
    expect(terminal.state).toBe('2 current');
  });

  test.each(['current', 'refused', 'probation', 'uplink'])(
    'A damaged %s.json never keeps the agent from starting',
    async (name) => {
      await confirmed(1, debug);
      await terminal.take(message(2, { more: 1 }));
      await terminal.take(message(3, otherBroker));
      writeFileSync(join(terminal.folder, `${name}.json`), '{"v":1,"ver');
      writeFileSync(join(terminal.folder, '.current.json.7.new'), '{');
      await powerOn();
      expect(terminal.state).toBe(name === 'probation' ? '1 refused' : '3 probation');
      expect(reported().refused?.code).toBe('CONFIGURATION_DAMAGED');
      expect(readdirSync(terminal.folder).some((file) => file.startsWith('.'))).toBe(false);
    },
  );

  test('After a damaged current.json what enrolment wrote runs until the centre’s message comes again', async () => {
    await confirmed(1, debug);
    writeFileSync(join(terminal.folder, 'current.json'), '');
    await powerOn();
    expect(terminal.state).toBe('0 refused');
    expect(settings().log.level).toBe('info');
    await confirmed(1, debug);
    expect(reported().refused).toBeNull();
  });

  test('What was kept is believed by its signature alone', async () => {
    await confirmed(1, debug);
    terminal.trusted = trusted.filter(({ role }) => role !== 'commands');
    await powerOn();
    expect(terminal.state).toBe('0 refused');
    expect(settings().log.level).toBe('info');
  });

  test('When agent.json was changed so that the whole is wrong, enrolment runs alone, until it is right again', async () => {
    await confirmed(1, { log: { level: 'debug' } });
    terminal.check = ({ log }) =>
      log.level === 'debug' ? fail('SETTINGS_INVALID', 'now wrong') : { ok: true, value: undefined };
    await powerOn();
    expect(terminal.state).toBe('0 refused');
    expect(reported().refused).toMatchObject({ version: 1, code: 'CONFIGURATION_INVALID' });
    await terminal.take(message(1, debug));
    terminal.check = () => ({ ok: true, value: undefined });
    await powerOn();
    expect(terminal.state).toBe('1 current');
  });
});

describe('The configuration of the uplinks', () => {
  const uplink = sign({ anything: 1 }, { by: 'offline', type: 'application/vnd.checkpost.uplink.v1+json' });

  test('A defect of ours on the way is told and ends nothing: a retained message would bring it with every start', async () => {
    terminal.applyUplink = () => fail('UPLINK_ABSENT', 'Nothing answers.');
    await confirmed(3, debug, { uplink: sign({}) });
    terminal.applyUplink = () => {
      throw new Error('a defect');
    };
    expect(await terminal.take(message(3, debug, { uplink: sign({}) }))).toBe('INTERNAL');
    expect(terminal.state).toBe('3 current');
    // What was begun runs all the same: another one would be judged for it.
    expect(await terminal.take(message(4, { log: { level: 'warn' } }, { uplink: sign({ other: 1 }) }))).toBe(
      'INTERNAL',
    );
    expect([settings().log.level, terminal.state, terminal.restarts]).toEqual(['warn', '4 probation', 2]);
  });

  test('It is handed to the helper once', async () => {
    await confirmed(1, debug, { uplink });
    await terminal.take(message(1, debug, { uplink }));
    await confirmed(2, { log: { level: 'warn' } }, { uplink });
    await terminal.process();
    terminal.attached.reached();
    await terminal.pass(0);
    expect(terminal.uplinks).toEqual([uplink]);
  });

  test('While the helper is not there it is handed over again; what it refuses is reported and not repeated', async () => {
    terminal.applyUplink = () => fail('UPLINK_ABSENT', '');
    await confirmed(1, debug, { uplink });
    const tries = terminal.uplinks.length;
    terminal.applyUplink = () => fail('CONFIGURATION_REFUSED', 'It is version 1, and 3 is known.');
    await terminal.take(message(1, debug, { uplink }));
    await terminal.take(message(1, debug, { uplink }));
    expect(terminal.uplinks).toHaveLength(tries + 1);
    expect(reported()).toMatchObject({
      state: 'current',
      refused: {
        version: 1,
        code: 'CONFIGURATION_REFUSED',
        detail: 'The uplink: It is version 1, and 3 is known.',
      },
    });
    expect(terminal.told.at(-1)).toBe('1 refused CONFIGURATION_REFUSED');
  });
});

test('No path of a setting that is reported leads to a secret', () => {
  expect(reported().settings.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['keys', 'tls.key', 'terminal']),
  );
  expect(reported().settings.find(({ path }) => path === 'tls.key')?.value).toBe(written.tls.key);
});
