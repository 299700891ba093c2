import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms, seconds } from '#contracts/units.ts';
import { silentLog } from '#runtime/log.ts';
import type { MqttLink, MqttListener } from '#runtime/mqtt-link.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Taken } from '../ingest/ingest.ts';
import { keepAlone, Session, standing, subscriptions } from './session.ts';

/** A broker that lets in as it is told, and keeps what was done with each connection. */
function rig(take: (topic: string) => Taken = () => ({})) {
  const clock = new TestClock();
  const opened: {
    at: number;
    listener: MqttListener;
    published: string[];
    subscribed: unknown[];
    dropped: boolean;
    ended: boolean;
  }[] = [];
  const state = { refuse: false, reached: 0 };
  const session = new Session({
    open: async (_, listener): Promise<Result<MqttLink>> => {
      const one = {
        at: clock.monotonic(),
        listener,
        published: [] as string[],
        subscribed: [] as unknown[],
        dropped: false,
        ended: false,
      };
      opened.push(one);
      if (state.refuse) return fail('BROKER_UNREACHABLE', 'refused');
      return ok({
        publish: async (topic) => ok(void one.published.push(topic)),
        subscribe: async (filters) => ok(void one.subscribed.push(...filters)),
        end: async () => void (one.ended = true),
        drop: () => void (one.dropped = true),
      });
    },
    url: 'mqtts://localhost',
    tls: () => ok({ authority: '', certificate: '', key: '', name: 'controller' }),
    retry: ms(1000),
    keepAlive: seconds(15),
    keepSession: keepAlone,
    clock,
    random: () => 1,
    log: silentLog,
    take: async (topic) => take(topic),
    onReached: () => state.reached++,
  });
  const gaps = (): number[] => opened.slice(1).map(({ at }, i) => at - (opened[i]?.at ?? 0));
  return { clock, opened, state, session, gaps };
}

test('a broker that is down is tried at growing pauses, at most every 30 s', async () => {
  const { clock, state, session, gaps } = rig();
  state.refuse = true;
  session.start();
  await clock.advance(130_000);
  expect(gaps()).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  await session.close();
});

test('a broker that lets in and closes at once does not begin at the shortest pause again', async () => {
  const { clock, opened, session, gaps } = rig();
  session.start();
  for (let i = 0; i < 4; i++) {
    await clock.advance(0);
    opened.at(-1)?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' }, 'broker');
    await clock.advance(1000 * 2 ** i);
  }
  expect(gaps()).toEqual([1000, 2000, 4000, 8000]);
  await session.close();
});

test('after a session that stood for a while the pause is the shortest again', async () => {
  const { clock, opened, session, state, gaps } = rig();
  state.refuse = true;
  session.start();
  await clock.advance(3000);
  state.refuse = false;
  await clock.advance(4000);
  expect(session.connected).toBe(true);
  await clock.advance(standing);
  opened.at(-1)?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' }, 'broker');
  await clock.advance(0);
  expect(session.connected).toBe(false);
  await clock.advance(1000);
  expect(gaps().at(-1)).toBe(standing + 1000);
  await session.close();
});

test('what has been taken is answered; what our own database refused is not, so that it comes again', async () => {
  let broken = true;
  const { clock, opened, session } = rig(() =>
    broken
      ? { fault: { code: 'STORE_FAILED', detail: 'no disk' }, reply: { topic: 'never', payload: '' } }
      : { reply: { topic: 'ack', payload: '' } },
  );
  session.start();
  await clock.advance(0);
  const about = { retain: false };
  await expect(opened[0]?.listener.message('x', Buffer.from(''), about)).rejects.toThrow('STORE_FAILED');
  expect(opened[0]?.published).toEqual([]);
  broken = false;
  await opened[0]?.listener.message('x', Buffer.from(''), about);
  await clock.advance(0);
  expect(opened[0]?.published).toEqual(['ack']);
  await session.close();
});

test('others may publish while the session stands, and are told whenever it does', async () => {
  const { clock, opened, session } = rig();
  let told = 0;
  session.onConnected(() => told++);
  expect(await session.publish('early', '')).toMatchObject({
    ok: false,
    fault: { code: 'BROKER_UNREACHABLE' },
  });
  session.start();
  await clock.advance(0);
  expect(await session.publish('x', '', { retain: true })).toMatchObject({ ok: true });
  expect(session.reachedAt).toBe(clock.monotonic());
  opened[0]?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' }, 'broker');
  await clock.advance(0);
  expect(session.reachedAt).toBeUndefined();
  await clock.advance(1000);
  expect([opened[0]?.published, told]).toEqual([['x'], 2]);
  await session.close();
});

test('what is owed and answered is shared with other controllers; states and health, which come once, are not', async () => {
  const { clock, opened, session } = rig();
  session.start();
  await clock.advance(0);
  expect(opened[0]?.subscribed).toEqual(subscriptions);
  expect(subscriptions.map(({ filter }) => filter)).toEqual([
    'checkpost/1/+/status',
    'checkpost/1/+/reported',
    'checkpost/1/+/health',
    '$share/controllers/checkpost/1/+/outbox',
    '$share/controllers/checkpost/1/+/command/result',
  ]);
  await session.close();
});

test('stopping says goodbye and tries no more', async () => {
  const { clock, opened, session } = rig();
  session.start();
  await clock.advance(0);
  await session.close();
  await clock.advance(600_000);
  expect(opened).toHaveLength(1);
  expect(opened[0]?.ended).toBe(true);
});
