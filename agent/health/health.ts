import { X509Certificate } from 'node:crypto';
import type { HealthReport, ReaderState } from '#contracts/health.ts';
import type { ReaderId } from '#contracts/names.ts';
import type { CollectionState } from '#contracts/verdict.ts';
import type { Log } from '#runtime/log.ts';
import { conditionsOf, StandingConditions } from './conditions.ts';
import { uplinkHealth, type UplinkFacts } from './uplink.ts';
import { type MachineFacts, openMachine } from './machine.ts';

/** What health is told by the parts of the agent; each answers at once. */
export interface HealthParts {
  readonly stateFolder: string;
  readonly version: string;
  readonly log: Log;
  /** Trusted time as an instant. */
  readonly now: () => string;
  readonly clockState: () => HealthReport['clock'];
  readonly readers: () => readonly { readonly id: ReaderId; readonly state: ReaderState }[];
  readonly edition: () => {
    readonly source: CollectionState;
    readonly tooOld: boolean;
    readonly aging: boolean;
  } | null;
  /** What stands against the edition. */
  readonly editionState: () => { readonly damaged: boolean; readonly refused: boolean };
  readonly outbox: () => HealthReport['outbox'];
  readonly audit: () => HealthReport['audit'];
  readonly link: () => 'up' | 'down' | 'unknown';
  readonly uplink: () => UplinkFacts;
  readonly recordingFails: () => boolean;
  readonly storeReplaced: () => boolean;
  /** Certificate of this terminal, PEM. */
  readonly certificate: string;
}

export interface Health {
  /** Measures everything; what the machine does not tell keeps its last figure. Never rejects. */
  measure(): Promise<HealthReport>;
  now(): string;
}

const mostConditions = 64;

const nothingMeasured: MachineFacts = {
  uptime: { systemSeconds: 0, agentSeconds: 0 },
  load: { one: 0, cpus: 1 },
  memory: { totalBytes: 0, availableBytes: 0, agentBytes: 0 },
  disk: { totalBytes: 0, freeBytes: 0 },
  temperature: null,
};

export function createHealth(parts: HealthParts): Health {
  const machine = openMachine({ stateFolder: parts.stateFolder });
  const standing = new StandingConditions();
  const expires = Date.parse(new X509Certificate(parts.certificate).validTo);
  let facts = nothingMeasured;
  const measureMachine = async (): Promise<void> => {
    try {
      facts = await machine.facts();
    } catch (thrown) {
      parts.log.warn('The machine could not be measured', { detail: (thrown as Error).message });
    }
  };
  return {
    now: parts.now,
    async measure() {
      await measureMachine();
      const now = parts.now();
      const clock = parts.clockState();
      const readers = parts.readers().map(({ id, state }) => ({ id, state }));
      const edition = parts.edition();
      const editionState = parts.editionState();
      const uplink = parts.uplink();
      const found = conditionsOf({
        readers,
        link: parts.link(),
        edition,
        editionDamaged: editionState.damaged,
        editionRefused: editionState.refused,
        clock: clock.state,
        disk: facts.disk,
        recordingFails: parts.recordingFails(),
        storeReplaced: parts.storeReplaced(),
        certificateDaysLeft: (expires - Date.parse(now)) / 86_400_000,
        uplink,
      });
      return {
        versions: { checkpost: parts.version, node: process.versions.node, os: machine.os },
        ...facts,
        clock,
        readers,
        edition: edition?.source ?? null,
        outbox: parts.outbox(),
        audit: parts.audit(),
        uplink: uplinkHealth(uplink),
        // The contract takes no more; the first ones are the gravest.
        conditions: standing.update(found.slice(0, mostConditions), now),
      };
    },
  };
}
