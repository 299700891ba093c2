/** Sites that go offline within so long of each other went offline together. */
const together = 60_000;

export interface OfflineTerminal {
  readonly terminal: string;
  readonly site: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface OutageRules {
  readonly outageSites: number;
  readonly outagePercent: number;
}

/**
 * The terminals that went offline together with those of many other sites: at least `outageSites`, and at least
 * `outagePercent` of the sites that were online until then. Once the outage is an alert, half as many sites keep it: it
 * does not come and go while they come back one by one.
 */
export function massOutage(
  offline: readonly OfflineTerminal[],
  onlineSites: ReadonlySet<string>,
  rules: OutageRules,
  standing: boolean,
): ReadonlySet<string> {
  const order = offline.toSorted((a, b) => a.since - b.since);
  const members = new Set<string>();
  const inWindow = new Map<string, number>();
  let onlineToo = 0;
  const count = (site: string, by: 1 | -1): void => {
    const now = (inWindow.get(site) ?? 0) + by;
    if (now === 0) inWindow.delete(site);
    else inWindow.set(site, now);
    // A site of which another terminal is online was online either way: it is not counted twice.
    if (onlineSites.has(site) && ((by === 1 && now === 1) || (by === -1 && now === 0))) onlineToo += by;
  };
  let from = 0;
  let taken = 0;
  for (const [to, last] of order.entries()) {
    count(last.site, 1);
    for (let first = order[from]; first !== undefined && last.since - first.since > together;) {
      count(first.site, -1);
      first = order[++from];
    }
    const before = onlineSites.size + inWindow.size - onlineToo;
    const least = Math.max(rules.outageSites, Math.ceil((before * rules.outagePercent) / 100));
    if (inWindow.size < (standing ? Math.ceil(least / 2) : least)) continue;
    for (const { terminal } of order.slice(Math.max(from, taken), to + 1)) members.add(terminal);
    taken = to + 1;
  }
  return members;
}
