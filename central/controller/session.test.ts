import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms, seconds } from '#contracts/units.ts';
import { silentLog } from '#runtime/log.ts';
import type { MqttLink, MqttListener } from '#runtime/mqtt-link.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Taken } from './ingest.ts';
import { Session, settled, standing } from './session.ts';

/** A broker that lets in as it is told, and keeps what was done with each connection. */
function rig(take: (topic: string) => Taken = () => ({})) {
  const clock = new TestClock();
  const opened: {
    at: number;
    listener: MqttListener;
    published: string[];
    dropped: boolean;
    ended: boolean;
  }[] = [];
  const state = { refuse: false, reached: 0, settled: 0 };
  const session = new Session({
    open: async (_, listener): Promise<Result<MqttLink>> => {
      const one = {
        at: clock.monotonic(),
        listener,
        published: [] as string[],
        dropped: false,
        ended: false,
      };
      opened.push(one);
      if (state.refuse) return fail('BROKER_UNREACHABLE', 'refused');
      return ok({
        publish: async (topic) => ok(void one.published.push(topic)),
        subscribe: async () => ok(undefined),
        end: async () => void (one.ended = true),
        drop: () => void (one.dropped = true),
      });
    },
    url: 'mqtts://localhost',
    tls: () => ok({ authority: '', certificate: '', key: '' }),
    retry: ms(1000),
    keepAlive: seconds(15),
    clock,
    random: () => 1,
    log: silentLog,
    take,
    onReached: () => state.reached++,
    onSettled: () => state.settled++,
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
    opened.at(-1)?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' });
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
  opened.at(-1)?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' });
  await clock.advance(0);
  expect(session.connected).toBe(false);
  await clock.advance(1000);
  expect(gaps().at(-1)).toBe(standing + 1000);
  await session.close();
});

test('silence of terminals is judged only after the session has stood long enough', async () => {
  const { clock, opened, session, state } = rig();
  session.start();
  await clock.advance(settled - 1);
  opened[0]?.listener.lost({ code: 'BROKER_UNREACHABLE', detail: 'closed' });
  await clock.advance(settled);
  expect(state).toMatchObject({ reached: 2, settled: 0 });
  await clock.advance(1000);
  expect(state.settled).toBe(1);
  await session.close();
});

test('when our own database fails, the connection is cut before the broker counts the message as received', async () => {
  let broken = true;
  const { clock, opened, session } = rig(() =>
    broken
      ? { fault: { code: 'STORE_FAILED', detail: 'no disk' }, reply: { topic: 'never', payload: '' } }
      : { reply: { topic: 'ack', payload: '' } },
  );
  session.start();
  await clock.advance(0);
  opened[0]?.listener.message('x', Buffer.from(''));
  expect(opened[0]).toMatchObject({ dropped: true, published: [] });
  broken = false;
  await clock.advance(1000);
  opened[1]?.listener.message('x', Buffer.from(''));
  expect(opened[1]?.published).toEqual(['ack']);
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
