import type { LineState } from '#contracts/uplink.ts';
import { type LineFacts, usableAddresses } from './facts.ts';

export interface Diagnosis {
  readonly state: LineState;
  /** What was measured that says so, in plain words; at most 300 letters. */
  readonly evidence: string;
  /** True where something behind the router has demonstrably answered over this uplink. */
  readonly works: boolean;
}

/**
 * Names the state of one uplink from what was measured; pure. The first row that holds decides:
 *
 * | row | holds when                                                          | state          |
 * | --- | ------------------------------------------------------------------- | -------------- |
 * | 1   | the device is not there                                             | no-device      |
 * | 2   | a hub answers, and no large size passes                             | large-lost     |
 * | 3   | a hub answers                                                       | up             |
 * | 4   | the device is switched off, or has no carrier                       | no-carrier     |
 * | 5   | no address but link-local ones                                      | no-address     |
 * | 6   | neither a router nor a line with one other end                      | no-route       |
 * | 7   | something else than the page answered the portal check              | captive-portal |
 * | 8   | the router was asked for and is silent, and nothing else answered   | gateway-silent |
 * | 9   | names are needed and failed: packets go out, none comes back        | no-data        |
 * |     | … a page with an address of its own was silent too                  | no-data        |
 * |     | … else, once DNS was asked                                          | dns-dead       |
 * | 10  | not every hub has been probed yet                                   | untested       |
 * | 11  | all hubs are silent, and something behind the router has answered   | hubs-silent    |
 * | 12  | all hubs are silent, and so is everything else                      | no-data        |
 *
 * A hub that answers beats every other sign (rows 2 and 3 stand high): carrier and addresses are read now and then,
 * probes every moment. A portal beats a dead DNS and dead hubs, which it causes. An answer from behind the router beats
 * a neighbour table that calls the router silent: some routers answer no ARP from time to time.
 */
export function diagnose(facts: LineFacts): Diagnosis {
  const { device } = facts;
  const works = answersFromBehind(facts) !== undefined;
  const say = (state: LineState, evidence: string): Diagnosis => ({
    state,
    evidence: evidence.length <= 300 ? evidence : `${evidence.slice(0, 299)}…`,
    works: state === 'up' || state === 'large-lost' || works,
  });
  if (!facts.present) return { ...say('no-device', `there is no device ${device}`), works: false };
  const up = facts.paths.filter(({ state }) => state === 'up').map(({ hub }) => hub);
  if (up.length > 0 && facts.largest === 'none')
    return say('large-lost', `small probes to ${up.join(', ')} come back, large ones at no size`);
  if (up.length > 0)
    return say(
      'up',
      `probes to ${up.join(', ')} come back${facts.largest === null || facts.largest === 'none' ? '' : `, up to ${facts.largest} bytes`}`,
    );
  const dead = belowTheNetwork(facts);
  if (dead !== undefined) return { ...say(...dead), works: false };
  if (facts.portal.result === 'portal') {
    const { status, host } = facts.portal;
    const leads = host === null ? '' : ` and leads to ${host}`;
    const evidence = `in place of the test page something answers with status ${status}${leads}`;
    // Whoever answers in place of a page answers in place of DNS too.
    return { ...say('captive-portal', evidence), works: false };
  }
  if (facts.gateway?.way === 'router' && facts.gateway.neighbour === 'silent' && !works)
    return say('gateway-silent', `the router ${facts.gateway.address} does not answer on ${device}`);
  const names = withoutNames(facts);
  if (names !== undefined) return say(...names);
  const untested = facts.paths.filter(({ state }) => state === 'untested').map(({ hub }) => hub);
  if (facts.paths.length === 0 || untested.length > 0)
    return say('untested', `not probed yet: ${untested.join(', ') || 'any hub'}`);
  const hubs = facts.paths.map(({ hub }) => hub).join(', ');
  const behind = answersFromBehind(facts);
  if (behind !== undefined) return say('hubs-silent', `${behind}, but no probe to ${hubs} comes back`);
  return say('no-data', `${nothingBehind(facts)}; no probe to ${hubs} comes back`);
}

/** Rows 4 to 6: what is wrong before a packet could leave. */
function belowTheNetwork(facts: LineFacts): [LineState, string] | undefined {
  const { device } = facts;
  if (!facts.switchedOn) return ['no-carrier', `${device} is switched off (ip link set ${device} up)`];
  if (facts.carrier === false) {
    const what = facts.kind === 'ethernet' ? 'no cable, or nothing at its other end' : 'no network found';
    return ['no-carrier', `${device} has no carrier: ${what}`];
  }
  if (usableAddresses(facts.addresses).length === 0) {
    const own = facts.addresses.length === 0 ? 'no address' : `only ${facts.addresses.join(', ')}`;
    const source = facts.kind === 'lte' ? 'the modem' : 'DHCP';
    return ['no-address', `${device} has ${own}: ${source} gave none`];
  }
  if (facts.gateway === null)
    return [
      'no-route',
      `${device} has ${usableAddresses(facts.addresses).join(', ')}, but no router was given`,
    ];
  return undefined;
}

/** Row 9: no hub can be probed, or only at addresses that may be old, since its name is not resolved. */
function withoutNames(facts: LineFacts): [LineState, string] | undefined {
  const { dns, portal } = facts;
  if (facts.names !== 'failed' || dns.result === 'not-asked' || dns.result === 'answered') return undefined;
  const said = dns.result === 'failed' ? `DNS answers only ${dns.code}` : 'DNS does not answer';
  const behind = answersFromBehind(facts);
  if (behind !== undefined) return ['dns-dead', `${behind}, but ${said}, so the hubs are not found`];
  if (dns.result === 'silent' && nothingReceived(facts))
    return ['no-data', `${nothingBehind(facts)}; ${said}`];
  if (dns.result === 'silent' && portal.result === 'no-answer' && portal.asked)
    return ['no-data', `${said}, nor does the test page at its address (${portal.why})`];
  return ['dns-dead', `${said}, so the hubs are not found`];
}

/**
 * What has answered from behind the router, in words, or undefined. Packets that the device received prove it only on a
 * line with one other end: on a shared medium ARP and everybody's broadcasts are counted as well. An answer of a DNS
 * server that is the router itself may come from its store, and proves nothing against a page that was silent.
 */
function answersFromBehind({ dns, portal, gateway, counters }: LineFacts): string | undefined {
  if (portal.result === 'ok') return 'the test page answers';
  if (dns.result === 'answered') {
    const contradicted = dns.byRouter && portal.result === 'no-answer' && portal.asked;
    if (!contradicted) return dns.byRouter ? 'the DNS of the router answers' : 'DNS answers';
  }
  if (gateway?.way === 'point-to-point' && counters !== null && counters.received > 0)
    return `${counters.received} packets came back while ${counters.sent} were sent`;
  return undefined;
}

function nothingReceived({ counters }: LineFacts): boolean {
  return counters !== null && counters.sent > 0 && counters.received === 0;
}

/** What was seen where nothing behind the router answers. */
function nothingBehind(facts: LineFacts): string {
  const { device, counters, dns, portal, gateway } = facts;
  if (nothingReceived(facts)) return `${device} sent ${counters?.sent} packets and received none`;
  const silent = [
    ...(dns.result === 'silent' ? ['DNS'] : []),
    ...(portal.result === 'no-answer' && portal.asked ? ['the test page'] : []),
  ];
  const router =
    gateway?.way === 'router' && gateway.neighbour === 'answers'
      ? `the router ${gateway.address} answers, but `
      : '';
  return `${router}${silent.length === 0 ? 'nothing behind it is known to answer' : `${silent.join(' and ')} ${silent.length === 1 ? 'does' : 'do'} not answer`}`;
}
