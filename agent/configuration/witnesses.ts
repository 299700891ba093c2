import type { ReaderState } from '#contracts/health.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import type { Witness } from './probation.ts';

/** A reader as it is now. */
export interface ReaderNow {
  readonly id: string;
  readonly device: string;
  readonly state: ReaderState;
}

/** A reader that was ready under the configuration before. */
export interface ReaderBefore {
  readonly id: string;
  readonly device: string;
}

/** What the link to the centre shows. */
export interface LinkSeen {
  /** The controller has answered in a session under the new configuration. */
  readonly reached: boolean;
  /** A session stands at this moment. */
  readonly connected: boolean;
  /** Whether the broker of the configuration before takes a connection; undefined where it was not tried. */
  readonly oldWorks: boolean | undefined;
}

/**
 * A session that stands, but in which the controller says nothing, may be the wrong broker or a controller that is down:
 * such time counts, but less.
 */
const silentShare = 0.25;

/** Whether the new settings reach the centre in another way, so that not reaching it can be their fault. */
export function isOtherLink(old: AgentSettings, now: AgentSettings): boolean {
  return old.fleet.url !== now.fleet.url;
}

export function linkWitness(old: AgentSettings, now: AgentSettings, seen: LinkSeen): Witness {
  const blame = isOtherLink(old, now) && seen.oldWorks === true;
  const share = seen.connected ? silentShare : 1;
  return {
    code: 'CONFIGURATION_CUT_OFF',
    detail: seen.connected
      ? `The controller does not answer at ${now.fleet.url}, and ${old.fleet.url} takes connections.`
      : `There is no session at ${now.fleet.url}, and ${old.fleet.url} takes connections.`,
    works: seen.reached,
    against: blame ? share : 0,
  };
}

/** Whether the new settings ask another lookup service. */
export function isOtherLookup(old: AgentSettings, now: AgentSettings): boolean {
  return old.central.url !== now.central.url;
}

/** One where the lookup service is another: without it only the offline copy would answer from then on. */
export function lookupWitnesses(
  old: AgentSettings,
  now: AgentSettings,
  seen: { readonly works: boolean; readonly oldWorks: boolean | undefined },
): Witness[] {
  if (!isOtherLookup(old, now)) return [];
  return [
    {
      code: 'CONFIGURATION_CUT_OFF',
      detail: `The lookup service does not answer at ${now.central.url}, and ${old.central.url} takes connections.`,
      works: seen.works,
      against: seen.oldWorks === true ? 1 : 0,
    },
  ];
}

/**
 * One witness for each reader that was ready before. Its counterpart now is the reader of the same id, else the one of
 * the same device, else one that is new and absent and so seems to have taken its place. A reader that was taken out of
 * the settings has none, and is not missed.
 *
 * @param there ids of the readers of the settings before whose device is plugged in now
 */
export function readerWitnesses(
  before: readonly ReaderBefore[],
  now: readonly ReaderNow[],
  there: ReadonlySet<string>,
): Witness[] {
  const isNew = ({ id, device }: ReaderNow): boolean =>
    before.every((old) => old.id !== id && old.device !== device);
  return before.flatMap((old) => {
    const counterpart =
      now.find(({ id }) => id === old.id) ??
      now.find(({ device }) => device === old.device) ??
      now.find((one) => isNew(one) && one.state === 'absent');
    if (counterpart === undefined) return [];
    const { id, device, state } = counterpart;
    return [
      {
        code: 'CONFIGURATION_READER_LOST' as const,
        detail: `Reader ${id} at ${device} is ${state}; before, ${old.id} at ${old.device} was ready and it is plugged in.`,
        works: state === 'ready',
        against: there.has(old.id) ? 1 : 0,
      },
    ];
  });
}
