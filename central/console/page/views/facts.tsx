import type { TerminalDetail } from '#contracts/api/fleet.ts';
import { ageWords } from '#runtime/page-words.ts';
import { agoWords, bytesWords, readerWords, uplinkWords, whenWords } from '../words.ts';

/** What a terminal measured last, in words. */
export function Facts({ detail, now }: { readonly detail: TerminalDetail; readonly now: number }) {
  const { health } = detail;
  const facts: (readonly [
    string,
    readonly (string | { readonly text: string; readonly amiss: boolean })[],
  ])[] = [
    [
      'Readers',
      (health.readers ?? []).map(({ id, state }) => ({
        text: `${id} ${readerWords[state]}`,
        amiss: state !== 'ready',
      })),
    ],
    ['Uplink', uplinkWords(health.uplink)],
    [
      'Offline copy',
      health.edition === undefined || health.edition === null
        ? []
        : [
            `edition ${health.edition.version}, ${health.edition.count.toLocaleString('en-GB')} records, of ${whenWords(health.edition.date, now)}`,
          ],
    ],
    [
      'Clock',
      health.clock === undefined
        ? []
        : [
            {
              text: health.clock.state === 'verified' ? 'verified' : 'not verified',
              amiss: health.clock.state !== 'verified',
            },
            ...(health.clock.offsetMillis === null ? [] : [`${health.clock.offsetMillis} ms off`]),
          ],
    ],
    [
      'Memory',
      health.memory === undefined
        ? []
        : [
            `agent ${bytesWords(health.memory.agentBytes)}`,
            `${bytesWords(health.memory.availableBytes)} of ${bytesWords(health.memory.totalBytes)} free`,
          ],
    ],
    [
      'Disk',
      health.disk === undefined
        ? []
        : [
            `${bytesWords(health.disk.freeBytes)} of ${bytesWords(health.disk.totalBytes)} free`,
            ...(health.storage?.wearPercent === null || health.storage === undefined
              ? []
              : [`${health.storage.wearPercent} % worn`]),
          ],
    ],
    [
      'Temperature',
      health.temperature === undefined || health.temperature === null
        ? []
        : [`${Math.round(health.temperature.celsius)} °C`],
    ],
    [
      'Power',
      health.power === undefined || health.power === null
        ? []
        : [
            { text: health.power.source, amiss: health.power.source === 'battery' },
            ...(health.power.batteryPercent === null ? [] : [`${Math.round(health.power.batteryPercent)} %`]),
          ],
    ],
    ['Load', health.load === undefined ? [] : [`${health.load.one} on ${health.load.cpus} cores`]],
    [
      'Since its start',
      health.counts === undefined
        ? []
        : [
            `${health.counts.frames} read, ${health.counts.hit} ${health.counts.hit === 1 ? 'hit' : 'hits'}, ${health.counts.unresolved} unresolved, ${health.counts.unreadable} unreadable`,
          ],
    ],
    [
      'Data',
      health.traffic === undefined || health.traffic === null
        ? []
        : [
            `${bytesWords(health.traffic.sentBytes)} sent, ${bytesWords(health.traffic.receivedBytes)} received since the machine started`,
          ],
    ],
    [
      'Running',
      health.uptime === undefined
        ? []
        : [`machine ${ageWords(health.uptime.systemSeconds)}, agent ${ageWords(health.uptime.agentSeconds)}`],
    ],
    ['Record', health.audit === undefined ? [] : [`${health.audit.entries} entries`]],
    [
      'Owes',
      health.outbox === undefined
        ? []
        : [
            health.outbox.depth === 0
              ? 'nothing'
              : `${health.outbox.depth} items, the oldest of ${health.outbox.oldestAt === null ? 'an unknown time' : whenWords(health.outbox.oldestAt, now)}`,
          ],
    ],
    [
      'Certificate',
      health.certificateExpires === undefined ? [] : [`until ${whenWords(health.certificateExpires, now)}`],
    ],
    [
      'Software',
      health.versions === undefined
        ? []
        : [`Checkpost ${health.versions.checkpost}, Node ${health.versions.node}`, health.versions.os],
    ],
    ['Session', [`${detail.session}`, `enrolled ${whenWords(detail.enrolledAt, now)}`]],
  ];
  return (
    <section aria-label="What it measured">
      <h3>
        What it measured{' '}
        {detail.healthAt !== null && <span class="small">{agoWords(detail.healthAt, now)}</span>}
      </h3>
      <dl class="facts">
        {facts
          .filter(([, values]) => values.length > 0)
          .map(([name, values]) => (
            <div key={name}>
              <dt>{name}</dt>
              {values.map((value) => {
                const { text, amiss } = typeof value === 'string' ? { text: value, amiss: false } : value;
                return (
                  <dd key={text} class={amiss ? 'amiss' : ''}>
                    {text}
                  </dd>
                );
              })}
            </div>
          ))}
      </dl>
    </section>
  );
}
