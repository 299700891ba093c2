import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LayerValues } from '#contracts/configuration.ts';
import { stolenPassport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { readerId } from '#test/rigs/site/provision.ts';
import { hubNames, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp, carries } from '#test/rigs/site/trials.ts';
import { nowhere, passes, WholeSite } from '#test/rigs/site/whole-site.ts';

// A real terminal behind real tunnels, and an operator who sends it what is wrong.
const reason = requires({
  test: 'bad configurations at a whole site',
  root: true,
  tools: [...uplinkTools, 'mosquitto', 'socat'],
});
const probationSeconds = 10;
const probation = probationSeconds * 1000;

describe.skipIf(reason !== undefined)('A site that is sent a configuration', () => {
  const whole = new WholeSite({ probationSeconds });
  const { desk, site, brokers } = whole;
  /** Of the configurations of the uplinks. */
  let uplinkVersion = 0;

  const confirmed = (version: number) =>
    desk.says(`version ${version} being confirmed`, ({ running, state }) => {
      return running === version && state === 'current';
    });

  /** Signs a network with these hubs and sends it through the centre; the version of the terminal's configuration. */
  function sendUplinks(hubs: readonly object[]): Promise<number> {
    uplinkVersion++;
    return desk.putUplinks(whole.sign(uplinkVersion, { ...whole.network, hubs }));
  }

  /**
   * Sends what must be undone; resolves when the centre has been told so. The faults that it is to have are seen to by
   * `meanwhile`, while it is on probation.
   */
  async function undone(
    values: LayerValues,
    code: string,
    meanwhile: () => Promise<unknown>,
  ): Promise<number> {
    const before = (await desk.configuration()).reported;
    const version = await desk.put(values);
    await eventually(() => whole.probation()?.running, { what: 'the probation', timeoutMs: 20_000 });
    await meanwhile();
    const reported = await desk.says(`version ${version} being undone`, ({ state, refused }) => {
      return state === 'undone' && refused?.version === version;
    });
    expect(reported).toMatchObject({ running: before?.running, refused: { version, code } });
    const [accepted, ...again] = whole.logged('A configuration was accepted', version);
    const [end] = whole.logged('A configuration is undone', version);
    expect(again).toEqual([]);
    const took = (end?.at ?? 0) - (accepted?.at ?? 0);
    // Not before its time, in which it failed all along.
    expect(took).toBeGreaterThanOrEqual(probation - 1000);
    expect(took).toBeLessThan(2 * probation);
    return version;
  }

  const healthy = () =>
    desk.becomes('no condition being left', ({ row, healthAt }) => {
      return row.state === 'online' && healthAt !== null && row.conditions.length === 0;
    });

  const readsAgain = async (): Promise<void> => {
    await desk.becomes('the reader working', ({ health }) => health.readers?.[0]?.state === 'ready');
    const before = (await desk.hits()).length;
    await eventually(
      async () => {
        whole.reader.send(`${stolenPassport.join('\r\n')}\r\n`);
        return (await desk.hits()).length > before;
      },
      { what: 'a document being read', timeoutMs: 20_000, everyMs: 4000 },
    );
  };

  beforeAll(async () => {
    await whole.start();
    await allUp(site);
    await desk.becomes('the terminal being online', ({ row }) => row.state === 'online');
    await healthy();
  }, 90_000);
  afterAll(() => whole.close());

  test('A broker at an address where nobody is: it is undone, refused when it comes again, and a higher one is taken', async () => {
    whole.swallow('10.80.0.9');
    const version = await undone({ fleet: { url: brokers.nobody } }, 'CONFIGURATION_CUT_OFF', async () => {
      await eventually(() => whole.swallowed() > 0, { what: 'the address being tried', timeoutMs: 20_000 });
      // Nobody but the terminal could help itself now.
      await desk.becomes('the terminal being cut off', ({ row }) => row.state !== 'online', 20_000);
    });
    whole.release();
    expect((await desk.conditions()).filter((code) => code.startsWith('configuration'))).toEqual([
      'configuration-undone',
    ]);
    const { session } = await desk.detail();
    await whole.agent.stop('SIGKILL');
    await whole.agent.start();
    // It is retained, and so comes with every session.
    expect((await desk.configuration()).wanted?.version).toBe(version);
    await desk.becomes(
      'a newer session',
      (detail) => detail.row.state === 'online' && detail.session > session,
    );
    await desk.says(
      'it being refused still',
      ({ state, refused }) => state === 'undone' && refused?.version === version,
    );
    expect(whole.logged('A configuration was accepted', version)).toHaveLength(1);
    await confirmed(await desk.put({ fleet: { url: brokers.other } }));
    await healthy();
  }, 120_000);

  test('A broker that answers with a certificate of somebody else: it is undone', async () => {
    const before = whole.strangers();
    await undone({ fleet: { url: brokers.foreign } }, 'CONFIGURATION_CUT_OFF', () =>
      eventually(() => whole.strangers() > before, { what: 'the stranger being asked', timeoutMs: 20_000 }),
    );
    await confirmed(await desk.put({}));
    await healthy();
  }, 120_000);

  test('A lookup service at an address where nobody is: it is undone, although the controller was reached', async () => {
    whole.swallow('10.80.0.9');
    await undone({ central: { url: 'https://10.80.0.9:8443' } }, 'CONFIGURATION_CUT_OFF', async () => {
      await eventually(() => whole.swallowed() > 0, { what: 'the address being tried', timeoutMs: 20_000 });
      await desk.becomes('the terminal saying so', ({ row }) => row.state === 'online', 20_000);
    });
    whole.release();
    await confirmed(await desk.put({}));
    await healthy();
  }, 120_000);

  test('A reader that is not there: the one before is back and reads', async () => {
    const readers = [{ id: 'counter-9', device: '/dev/nowhere', profile: 'swipe' }];
    await undone({ readers } as LayerValues, 'CONFIGURATION_READER_LOST', async () => {
      const { health } = await desk.becomes('the reader being missed', ({ health: { readers: seen } }) => {
        return seen?.[0]?.id === 'counter-9' && seen[0].state === 'absent';
      });
      expect(health.readers).toHaveLength(1);
    });
    await readsAgain();
    expect((await desk.detail()).health.readers).toMatchObject([{ id: readerId, state: 'ready' }]);
    await confirmed(await desk.put({}));
  }, 120_000);

  test('A hub that does not exist: the helper goes back, says so at the centre, and takes a higher one that is right', async () => {
    const [hub] = whole.network.hubs;
    const missing = { ...hub, name: 'three', endpoint: `${nowhere}:51820` };
    const began = performance.now();
    await confirmed(await sendUplinks([missing]));
    await eventually(async () => (await site.status()).configuration.state === 'probation', {
      what: 'the probation',
    });
    await eventually(() => whole.sentNowhere() > 0, { what: 'the missing hub being called' });
    expect((await site.status()).configuration).toMatchObject({ version: uplinkVersion, state: 'probation' });
    expect(site.reaches()).toBe(false);
    const { row } = await desk.becomes(
      'the fault being known at the centre',
      ({ row: { state, conditions } }) => {
        return state === 'online' && conditions.some(({ code }) => code === 'uplink-configuration-undone');
      },
    );
    // The hub before answers within a few seconds of the end of the probation.
    expect(performance.now() - began).toBeLessThan(2 * probation);
    expect(row.conditions.map(({ code }) => code)).toEqual(['uplink-configuration-undone']);
    await carries(site, { hub: 'one' });
    expect((await site.status()).configuration).toMatchObject({ version: 0, state: 'undone' });
    await confirmed(await sendUplinks(whole.network.hubs.toReversed()));
    await desk.becomes('the other hub carrying', ({ health }) => health.uplink?.hub === 'two');
    await healthy();
    expect((await site.status()).configuration).toMatchObject({ version: uplinkVersion, state: 'current' });
  }, 120_000);

  test('An outage that the one before would have had too does not count, however long it is', async () => {
    whole.swallow('10.80.0.2');
    const version = await desk.put({ fleet: { url: brokers.other } });
    await eventually(() => whole.probation()?.running, { what: 'the probation', timeoutMs: 20_000 });
    const since = Date.now();
    for (const hub of hubNames) site.silenceHub(hub);
    whole.release();
    const began = performance.now();
    await eventually(async () => (await site.status()).carrying === null, {
      what: 'nothing carrying',
      timeoutMs: 20_000,
    });
    // Longer than the symptoms of it are held back too.
    await passes(began, 2.2 * probation);
    expect(site.reaches()).toBe(false);
    const held = whole.probation();
    expect(held?.running).toBe(true);
    expect(held?.trial.failedMillis).toBeLessThan(probation);
    for (const hub of hubNames) site.mendHub(hub);
    await confirmed(version);
    expect(whole.logged('A configuration is undone', version)).toEqual([]);
    await allUp(site);
    await healthy();
    // What was found meanwhile has one cause; nobody is told of what follows from it.
    const causes = ['No hub answers over any uplink'];
    expect((await desk.conditionsSince(since)).filter((text) => !causes.includes(text))).toEqual([]);
  }, 120_000);

  test('What is wrong with a site is shown by its causes alone: one for a line, another for the reader, one alert when it is silent', async () => {
    const since = Date.now();
    const shows = async (...wanted: string[]): Promise<void> => {
      await eventually(async () => (await desk.conditions()).toSorted().join() === wanted.toSorted().join(), {
        what: `exactly ${wanted.join() || 'nothing'} being shown`,
        timeoutMs: 60_000,
        everyMs: 200,
      });
    };
    await carries(site, { uplink: 'dsl' });
    const began = performance.now();
    site.unplug('dsl');
    await shows('line-no-carrier dsl');
    // Not before its delay.
    expect(performance.now() - began).toBeGreaterThan(18_000);
    await whole.reader.unplug();
    await shows('line-no-carrier dsl', `reader-absent ${readerId}`);
    site.silence('lte');
    await desk.becomes('the terminal being silent', ({ row }) => row.state === 'offline');
    await eventually(async () => (await desk.openAlerts()).join() === 'terminal-offline', {
      what: 'one alert',
      timeoutMs: 20_000,
      everyMs: 200,
    });
    await whole.plugReader();
    site.mend('lte');
    await desk.becomes('the terminal being back', ({ row }) => row.state === 'online');
    site.plug('dsl');
    await shows();
    await eventually(async () => (await desk.openAlerts()).length === 0, {
      what: 'no alert',
      timeoutMs: 20_000,
    });
    await allUp(site);
    await shows();
    // Nothing else flashed up meanwhile.
    expect(await desk.conditionsSince(since)).toEqual([
      'Uplink has no cable or no radio network (dsl)',
      `Reader not plugged in (${readerId})`,
    ]);
  }, 150_000);

  test('When the power fails while a wrong broker and a missing hub are on probation, both are undone after it', async () => {
    whole.swallow('10.80.0.9');
    const version = await desk.put({ fleet: { url: brokers.nobody } });
    await eventually(() => whole.probation()?.running, { what: 'the probation', timeoutMs: 20_000 });
    const [hub] = whole.network.hubs;
    uplinkVersion++;
    const missing = { ...hub, name: 'three', endpoint: `${nowhere}:51820` };
    const envelope = whole.sign(uplinkVersion, { ...whole.network, hubs: [missing] });
    expect(await site.ask({ verb: 'apply', envelope })).toMatchObject({ ok: true });
    await eventually(() => !site.reaches(), { what: 'the tunnel being cut off' });
    await whole.cutPower();
    expect(whole.probation()).toMatchObject({ running: true });
    await whole.startTerminal();
    expect((await site.status()).configuration).toMatchObject({ version: uplinkVersion, state: 'probation' });
    await desk.says(
      'both being undone',
      ({ state, refused }) => state === 'undone' && refused?.version === version,
      90_000,
    );
    expect((await site.status()).configuration).toMatchObject({
      version: uplinkVersion - 1,
      state: 'undone',
    });
    expect(whole.probation()).toBeUndefined();
    whole.release();
  }, 150_000);

  test('When the power fails while a good one is on probation, it is confirmed after it', async () => {
    whole.swallow('10.80.0.2');
    const version = await desk.put({ policy: { repeatMillis: 2500 }, fleet: { url: brokers.other } });
    await eventually(() => whole.probation()?.running, { what: 'the probation', timeoutMs: 20_000 });
    await whole.cutPower();
    expect(whole.probation()).toMatchObject({ running: true });
    whole.release();
    await whole.startTerminal();
    await confirmed(version);
    expect(whole.probation()).toBeUndefined();
  }, 120_000);
});
