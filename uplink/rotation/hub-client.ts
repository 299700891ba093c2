import { connect, isIPv4 } from 'node:net';
import { type HubAnswer, HubAnswer as HubAnswerSchema, hubLineLimit, type SlotKeys } from '#contracts/hub.ts';
import type { KeySlot } from '#contracts/hub.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Hub } from '#contracts/settings/uplink.ts';
import { type Millis, ms, type WallTime, wall } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

export interface Offer {
  readonly slot: KeySlot;
  readonly publicKey: string;
  readonly presharedKey: string;
}

/** What a terminal asks of a hub. Faults of all: HUB_UNREACHABLE, HUB_REFUSED. */
export interface HubClient {
  /** Which keys the hub takes from this terminal. */
  keys(hub: string): Promise<Result<readonly SlotKeys[]>>;
  offer(hub: string, offer: Offer): Promise<Result<readonly SlotKeys[]>>;
  /** The largest packet that reaches this terminal, in bytes. */
  path(hub: string, mtu: number): Promise<Result<void>>;
}

interface HubClientParts {
  readonly hubs: readonly Pick<Hub, 'name' | 'probeAddress' | 'servicePort'>[];
  /** Address of this terminal in a probe tunnel through which the hub answers; undefined where there is none. */
  readonly from: (hub: string) => string | undefined;
  readonly clock: Clock;
  /** Time of the hub as its answer says, and how long question and answer took: the tunnel vouches for it. */
  readonly onTime?: (hub: string, time: WallTime, roundTrip: Millis) => void;
}

/** Longest that a hub may take, connecting included. */
const patience = ms(3000);

/** Asks hubs at their service: JSON lines over TCP inside a probe tunnel, one question for each connection. */
export function createHubClient(parts: HubClientParts): HubClient {
  let last = 0;
  const ask = async (name: string, question: object): Promise<Result<readonly SlotKeys[]>> => {
    const hub = parts.hubs.find((one) => one.name === name);
    if (hub === undefined) return fail('HUB_UNREACHABLE', `${name} is no hub of the settings.`);
    const from = parts.from(name);
    if (from === undefined || !isIPv4(from))
      return fail('HUB_UNREACHABLE', `${name}: it answers in no probe tunnel at present.`);
    const id = ++last;
    const said = await exchange(hub, from, `${JSON.stringify({ id, ...question })}\n`, parts.clock);
    return said.ok ? read(name, id, said.value) : said;
  };

  const read = (hub: string, id: number, { line, took }: Said): Result<readonly SlotKeys[]> => {
    const parsed = parseJson(HubAnswerSchema, line, 'HUB_REFUSED');
    if (!parsed.ok)
      return fail('HUB_REFUSED', `${hub} answered something that is no answer: ${parsed.fault.detail}`);
    const answer: HubAnswer = parsed.value;
    if (answer.id !== id) return fail('HUB_REFUSED', `${hub} answered another question.`);
    const time = Date.parse(answer.time);
    // The form of an instant does not say that there is such a day.
    if (Number.isFinite(time)) parts.onTime?.(hub, wall(time), took);
    return answer.ok ? ok(answer.keys) : fail('HUB_REFUSED', `${hub}: ${answer.code}: ${answer.detail}`);
  };

  return {
    keys: (hub) => ask(hub, { verb: 'keys' }),
    offer: (hub, offer) => ask(hub, { verb: 'offer', ...offer }),
    path: async (hub, mtu) => {
      const done = await ask(hub, { verb: 'path', mtu });
      return done.ok ? ok(undefined) : done;
    },
  };
}

interface Said {
  readonly line: string;
  readonly took: Millis;
}

function exchange(
  hub: HubClientParts['hubs'][number],
  from: string,
  question: string,
  clock: Clock,
): Promise<Result<Said>> {
  return new Promise((resolve) => {
    let heard = '';
    let asked = clock.monotonic();
    const socket = connect({ host: hub.probeAddress, port: hub.servicePort, localAddress: from });
    const end = (result: Result<Said>): void => {
      cancel();
      socket.destroy();
      resolve(result);
    };
    const unreachable = (why: string, cause?: unknown): void =>
      end(fail('HUB_UNREACHABLE', `${hub.name} at ${hub.probeAddress}:${hub.servicePort}: ${why}`, cause));
    const cancel = clock.after(patience, () => unreachable(`no answer within ${patience} ms.`));
    socket.setEncoding('utf8');
    socket.once('connect', () => {
      asked = clock.monotonic();
      socket.write(question);
    });
    socket.on('data', (piece: string) => {
      heard += piece;
      const stop = heard.indexOf('\n');
      if (stop >= 0 && stop <= hubLineLimit)
        end(ok({ line: heard.slice(0, stop), took: ms(clock.monotonic() - asked) }));
      else if (heard.length > hubLineLimit)
        end(fail('HUB_REFUSED', `${hub.name} answered more than ${hubLineLimit} bytes.`));
    });
    socket.once('error', (cause) => unreachable(`${systemCode(cause) ?? 'the connection failed'}.`, cause));
    socket.once('close', () => unreachable('it ended the connection without an answer.'));
  });
}
