/**
 * Health conditions are data; absent means healthy. A terminal reports the conditions that stand; the controller adds
 * those that it finds about a terminal from outside.
 */
export interface ConditionNote {
  readonly severity: 'warning' | 'error';
  /** What is wrong, in a few words. */
  readonly title: string;
  /** What it means for the site, in a sentence. */
  readonly text: string;
  /** What to do. */
  readonly remedy: string;
  /** Conditions that explain this one: while one of them stands, this one is not shown and nobody is told. */
  readonly dependsOn: readonly string[];
  /** So long it must stand without a break before it is shown, in seconds; never less than what explains it. */
  readonly delaySeconds: number;
}

/** A line that changes over for a moment is not worth a lamp. In seconds. */
const blip = 20;

/** While one of these stands, the whole site is cut off. */
const noTunnel = ['tunnel-down', 'hubs-down'] as const;
const noCentre = ['central-unreachable', ...noTunnel] as const;

export const conditions = {
  'reader-absent': {
    severity: 'error',
    title: 'Reader not plugged in',
    text: 'Nothing can be read with this reader; document numbers can still be typed.',
    remedy: 'Plug the reader in; check its cable.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'reader-refused': {
    severity: 'error',
    title: 'Reader cannot be opened',
    text: 'The reader is plugged in, but the terminal may not use it; document numbers can still be typed.',
    remedy: 'Close the program that holds it; check the udev rules for readers.',
    dependsOn: [],
    // While a device appears, udev has not given it its group yet.
    delaySeconds: 5,
  },
  'reader-noise': {
    severity: 'warning',
    title: 'Reader sends noise',
    text: 'Much of what the reader sends is not a document; some documents must be read twice or typed.',
    remedy: 'Check the baud rate and the wiring.',
    dependsOn: [],
    delaySeconds: 30,
  },
  'reader-silent': {
    severity: 'error',
    title: 'Reader does not answer',
    text: 'The reader is plugged in, but dead or wrongly set; document numbers can still be typed.',
    remedy: 'Check its power, its profile and the baud rate; `checkpost readers probe` finds them.',
    dependsOn: [],
    delaySeconds: 10,
  },
  'central-unreachable': {
    severity: 'warning',
    title: 'Centre out of reach, answers come from the copy',
    text: 'The tunnel is not known to be down, but the lookup service does not answer; the site works from its copy until that is too old.',
    remedy: 'Check the uplink.',
    dependsOn: [...noTunnel, 'uplink-helper-absent'],
    delaySeconds: 30,
  },
  'edition-absent': {
    severity: 'error',
    title: 'No offline copy',
    text: 'Without the centre nothing can be answered here.',
    remedy: 'Bring an edition by the link or on a stick.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'edition-old': {
    severity: 'error',
    title: 'Offline copy is older than the limit',
    text: 'The copy alone gives no `no-record` any more; such documents are `unresolved` until the centre answers.',
    remedy: 'Check the uplink, or bring an edition on a stick.',
    dependsOn: noCentre,
    delaySeconds: 60,
  },
  'edition-aging': {
    severity: 'warning',
    title: 'Offline copy is getting old',
    text: 'The copy is still believed, but no newer one has come for long.',
    remedy: 'Check that the bureau publishes and that the uplink carries the editions.',
    dependsOn: ['edition-old', ...noCentre],
    delaySeconds: 60,
  },
  'edition-damaged': {
    severity: 'error',
    title: 'Offline copy is damaged',
    text: 'Part of the copy cannot be read; without the centre, documents that fall there are `unresolved`.',
    remedy: 'It is fetched again by itself; check the disk of the terminal, or bring a base on a stick.',
    dependsOn: ['file-system-errors'],
    delaySeconds: 0,
  },
  'edition-refused': {
    severity: 'error',
    title: 'An edition was refused',
    text: 'What was offered is not signed as it must be, or older than what is here; the copy in use stays.',
    remedy: 'The log and the record of the terminal name the reason; tell the bureau.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'clock-unverified': {
    severity: 'warning',
    title: 'Clock not verified since power-on',
    text: 'The age of the copy is a lower bound only, so the copy alone gives no `no-record`.',
    remedy: 'It verifies itself when the centre is reached.',
    dependsOn: noCentre,
    delaySeconds: 120,
  },
  'clock-wrong': {
    severity: 'warning',
    title: 'Clock of the machine is wrong',
    text: 'Verdicts and the record use the verified time, but the tunnel and the certificates go by this clock.',
    remedy: 'Check the time service of the machine and the battery of its clock.',
    dependsOn: [],
    delaySeconds: 60,
  },
  'disk-low': {
    severity: 'error',
    title: 'Disk nearly full',
    text: 'Soon neither the record nor a new edition can be written.',
    remedy: 'Free space on the state partition.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'file-system-errors': {
    severity: 'error',
    title: 'File system of the state has errors',
    text: 'The disk fails or lost power while it wrote; the record and the copy may be damaged next.',
    remedy: 'Have the file system checked at the next start; plan to replace the disk or the terminal.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'flash-worn': {
    severity: 'error',
    title: 'Flash memory is worn out',
    text: 'It has had all the writes that it is made for and may fail on any day.',
    remedy: 'Replace the terminal.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'flash-wearing': {
    severity: 'warning',
    title: 'Flash memory is wearing out',
    text: 'It has had more than three quarters of the writes that it is made for.',
    remedy: 'Plan to replace the terminal; see what writes so much.',
    dependsOn: ['flash-worn'],
    delaySeconds: 0,
  },
  'not-recording': {
    severity: 'error',
    title: 'The record cannot be written',
    text: 'Each `no-record` becomes `unresolved`; hits are shown, marked as not recorded.',
    remedy: 'Check the disk of the terminal; `no-record` is not shown until it works.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'store-replaced': {
    severity: 'error',
    title: 'The database was damaged and replaced',
    text: 'What the terminal still owed to the centre lies in the file that was set aside; a new record has begun.',
    remedy: 'Keep the file that was set aside for the bureau.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'memory-low': {
    severity: 'warning',
    title: 'Memory of the machine nearly used up',
    text: 'The terminal becomes slow, and the system may end programs.',
    remedy: 'See what runs beside the agent; restart the terminal.',
    dependsOn: ['agent-memory-high'],
    delaySeconds: 300,
  },
  'agent-memory-high': {
    severity: 'warning',
    title: 'Agent uses too much memory',
    text: 'It may leak; at its limit the system restarts it, which takes seconds and loses nothing.',
    remedy: 'Restart the agent when nobody waits; send a diagnostic bundle.',
    dependsOn: [],
    delaySeconds: 300,
  },
  'too-hot': {
    severity: 'warning',
    title: 'Machine is too hot',
    text: 'The processor slows down, and at a few degrees more the machine switches itself off.',
    remedy: 'Free the air slots, and move the terminal out of the sun.',
    dependsOn: [],
    delaySeconds: 60,
  },
  undervoltage: {
    severity: 'warning',
    title: 'Supply voltage is too low',
    text: 'Readers may drop out and the machine may restart at any time.',
    remedy: 'Use the power supply that belongs to the terminal, and a short cable.',
    dependsOn: [],
    delaySeconds: 10,
  },
  'on-battery': {
    severity: 'warning',
    title: 'No mains, runs on battery',
    text: 'The site works on until the battery is empty.',
    remedy: 'Ask the site for its mains; see how full the battery is.',
    dependsOn: ['battery-low'],
    delaySeconds: 30,
  },
  'battery-low': {
    severity: 'error',
    title: 'Battery nearly empty',
    text: 'The terminal goes off within minutes unless the mains comes back.',
    remedy: 'Bring the mains back, or shut the terminal down in order.',
    dependsOn: [],
    delaySeconds: 30,
  },
  'watchdog-reset': {
    severity: 'warning',
    title: 'The watchdog has reset the machine',
    text: 'The system hung within the last day and was started again.',
    remedy: 'Ask for a diagnostic bundle; if it comes again, replace the terminal.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'unexpected-reboot': {
    severity: 'warning',
    title: 'The machine restarted without being told to',
    text: 'Within the last day it lost power or crashed; what was recorded is kept.',
    remedy: 'Ask the site for its mains and who pulled the plug; check the power supply.',
    dependsOn: ['watchdog-reset'],
    delaySeconds: 0,
  },
  'certificate-expiring': {
    severity: 'warning',
    title: 'The certificate of the terminal expires within 30 days',
    text: 'After that day the centre refuses the terminal, and it works from its copy alone.',
    remedy: 'Enrol the terminal again.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'uplink-helper-absent': {
    severity: 'warning',
    title: 'The helper of the uplink does not answer',
    text: 'Nothing changes over to another uplink while it is gone.',
    remedy:
      'See whether it runs: systemctl status checkpost-uplink checkpost-tunnel. A tunnel that was up stays up.',
    dependsOn: [],
    // Who watches the helper has waited for a start of it already.
    delaySeconds: 5,
  },
  'tunnel-down': {
    severity: 'error',
    title: 'The tunnel is down',
    text: 'No hub has answered with a handshake over any uplink; the site works from its copy.',
    remedy: 'See `checkpost uplink status` on the terminal for what was tried.',
    dependsOn: [
      'hubs-down',
      'line-no-device',
      'line-no-carrier',
      'line-no-address',
      'line-no-route',
      'line-gateway-silent',
      'line-dns-dead',
      'line-captive-portal',
      'line-no-data',
      'line-hubs-silent',
      'line-large-lost',
    ],
    delaySeconds: blip,
  },
  'line-no-device': {
    severity: 'warning',
    title: 'Device of an uplink is not there',
    text: 'The site cannot use this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Plug the modem or the network card in; check the name of the device in the settings.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-no-carrier': {
    severity: 'warning',
    title: 'Uplink has no cable or no radio network',
    text: 'The site cannot use this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Check the cable and the router, or the antenna and the SIM card.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-no-address': {
    severity: 'warning',
    title: 'Uplink got no address',
    text: 'The site cannot use this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Check DHCP of the router, or the access point name (APN) and PIN of the SIM card.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-no-route': {
    severity: 'warning',
    title: 'Uplink got an address, but no router',
    text: 'The site cannot use this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Have DHCP of the site name a router, or give `gateway` in the settings.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-gateway-silent': {
    severity: 'warning',
    title: 'Router of an uplink does not answer',
    text: 'The site cannot use this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Switch the router of the site off and on; check the cable to it.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-dns-dead': {
    severity: 'warning',
    title: 'DNS does not answer over an uplink',
    text: 'The hubs are not found by their names over this uplink; where it is the only one, answers come from the copy.',
    remedy: 'Check the router of the site; pinned addresses of the hubs work without DNS.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-captive-portal': {
    severity: 'warning',
    title: 'A portal wants a login before an uplink may be used',
    text: 'The network of the site lets nothing through until somebody logs in, which the terminal never does.',
    remedy: 'Have the owner of the network let this terminal through without one.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-no-data': {
    severity: 'warning',
    title: 'Uplink is connected, but no data comes back',
    text: 'The line is dead behind the modem or router; where it is the only one, answers come from the copy.',
    remedy: 'Check the credit and the data plan of the SIM card, or call the provider of the line.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-hubs-silent': {
    severity: 'warning',
    title: 'Uplink works, but no hub answers over it',
    text: 'The internet is reached over this uplink, the centre is not.',
    remedy: 'The network there may block WireGuard (UDP): ask its owner to let it out.',
    dependsOn: ['hubs-down'],
    delaySeconds: blip,
  },
  'line-large-lost': {
    severity: 'warning',
    title: 'Uplink loses large packets at every size',
    text: 'Lookups may pass over this uplink, but editions and a new session may hang.',
    remedy: 'Call the provider of the line; short messages still pass.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'line-over-budget': {
    severity: 'warning',
    title: 'Data budget of an uplink is used up',
    text: 'This uplink is kept for when no other works.',
    remedy: 'It carries only when no other works; see what uses the data, or raise `monthlyMegabytes`.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'mtu-low': {
    severity: 'warning',
    title: 'Uplink passes small packets only',
    text: 'Packets of 1280 bytes, which every network must pass, are lost; all works, but slower.',
    remedy: 'Check the router for a tunnel or PPPoE with a wrong size, or call the provider of the line.',
    dependsOn: ['line-large-lost'],
    delaySeconds: 60,
  },
  'hubs-down': {
    severity: 'error',
    title: 'No hub answers over any uplink',
    text: 'The lines of the site work and the centre is not reached; answers come from the copy.',
    remedy: 'The lines of the site work: check the hubs at the centre.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'hub-silent': {
    severity: 'warning',
    title: 'A hub does not answer',
    text: 'The site works, with one hub less to fall back on.',
    remedy: 'Another one carries the traffic; check this hub at the centre.',
    dependsOn: noTunnel,
    delaySeconds: 60,
  },
  'firewall-failed': {
    severity: 'error',
    title: 'The closed list is not in the firewall',
    text: 'What else runs on this machine is not held back from the network of the site.',
    remedy: 'See the log of the uplink; another program may hold the rules.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'firewall-touched': {
    severity: 'warning',
    title: 'The firewall was changed by somebody else and put back',
    text: 'For a moment the closed list was not in force; the change was undone.',
    remedy: 'Find the program that changes the firewall of this machine, and switch it off.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'uplink-key-failed': {
    severity: 'warning',
    title: 'A new key of the tunnel could not be brought into force',
    text: 'The tunnel works on with the key before.',
    remedy: 'The key before works on, and it is tried again; see the log of the hub.',
    dependsOn: ['hub-silent', ...noTunnel],
    delaySeconds: 60,
  },
  'tunnel-key-old': {
    severity: 'warning',
    title: 'A key of the tunnel is older than 90 days',
    text: 'The tunnel works; a key that was copied from this terminal would work on for as long.',
    remedy: 'Rotate the keys by command; see `rotateDays` in the settings of the uplink.',
    dependsOn: ['uplink-key-failed', 'hub-silent', ...noTunnel],
    delaySeconds: 60,
  },
  'uplink-configuration-undone': {
    severity: 'warning',
    title: 'A new configuration of the uplinks was undone',
    text: 'The site runs on the configuration before.',
    remedy: 'No hub was reached with it; correct it and send one of a higher version.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'uplink-fault': {
    severity: 'warning',
    title: 'The uplink has a fault',
    text: 'Something of the uplink failed that the helper tries again by itself.',
    remedy: 'See docs/errors.md for its code, and `checkpost uplink status` on the terminal.',
    dependsOn: [],
    delaySeconds: blip,
  },
  'outbox-deep': {
    severity: 'warning',
    title: 'Much is owed to the centre',
    text: 'More than a thousand items wait on the terminal; nothing is lost, but the centre knows late.',
    remedy: 'See whether the controller acknowledges; look at its log and at the loss of the uplinks.',
    dependsOn: ['outbox-old', ...noCentre],
    delaySeconds: 300,
  },
  'outbox-old': {
    severity: 'warning',
    title: 'Items wait too long for the centre',
    text: 'Something has been owed for more than an hour although the centre is in reach.',
    remedy: 'See whether the controller acknowledges; look at its log and at the session of the terminal.',
    dependsOn: ['session-taken-over', ...noCentre],
    delaySeconds: 300,
  },
  'outbox-thinned': {
    severity: 'warning',
    title: 'Metrics were thinned out to save space',
    text: 'The space for what is owed was used up; hits and the record are whole, charts have gaps.',
    remedy: 'Bring the uplink back; give the outbox more space if outages are long here.',
    dependsOn: noCentre,
    delaySeconds: 60,
  },
  'configuration-probation': {
    severity: 'warning',
    title: 'A new configuration is still on probation',
    text: 'The centre has not been reached with it yet; if it is not, the one before comes back by itself.',
    remedy: 'Wait, or see what the uplinks of the site say.',
    dependsOn: noCentre,
    delaySeconds: 600,
  },
  'configuration-undone': {
    severity: 'error',
    title: 'A new configuration was undone',
    text: 'The centre was not reached with it; the terminal runs the one before and refuses this version.',
    remedy: 'Correct it and send a higher version.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'configuration-refused': {
    severity: 'error',
    title: 'A new configuration was refused',
    text: 'It is not signed as it must be, or not possible here; the terminal runs the one before.',
    remedy: 'See the reason beside the configuration; correct it and send a higher version.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'session-taken-over': {
    severity: 'error',
    title: 'Another machine uses the identity of this terminal',
    text: 'The broker gave the session of this terminal to another connection with the same certificate.',
    remedy: 'Find the second machine, revoke the terminal and enrol the right machine again.',
    dependsOn: ['identity-cloned'],
    delaySeconds: 0,
  },
  'identity-cloned': {
    severity: 'error',
    title: 'Two machines use the identity of this terminal',
    text: 'What is reported under this name may come from either; one of them may be stolen or copied.',
    remedy: 'Find the second machine, revoke the terminal and enrol the right machine again.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'items-lost': {
    severity: 'error',
    title: 'Something that the terminal owed never arrived and is no longer kept there',
    text: 'A hit or a head of the record may be missing at the centre.',
    remedy: 'Compare with the record of the terminal: `checkpost audit verify`.',
    dependsOn: [],
    delaySeconds: 0,
  },
  'terminal-offline': {
    severity: 'error',
    title: 'The terminal is silent',
    text: 'Nothing is heard of it; whether it still works from its copy, or has no power, is not known.',
    remedy: 'Call the site: ask for power, for the lamps of the router, and what the officer’s page says.',
    dependsOn: [],
    delaySeconds: 30,
  },
  flooding: {
    severity: 'warning',
    title: 'The terminal sends far more than it should',
    text: 'What is too much is left unread, so that the other terminals are served; it may be faulty or copied.',
    remedy: 'Look at its log; restart its agent, or revoke it if that does not help.',
    dependsOn: [],
    delaySeconds: 10,
  },
} as const satisfies Record<string, ConditionNote>;
export type ConditionCode = keyof typeof conditions;

/** The note of a condition by its code, whoever sent it; undefined where this release does not know it. */
export function conditionNote(code: string): ConditionNote | undefined {
  return Object.hasOwn(conditions, code) ? conditions[code as ConditionCode] : undefined;
}

/** A condition by its code, and what it concerns where there can be several of a kind. */
export interface NamedCondition {
  readonly code: string;
  readonly subject?: string | undefined;
}

/**
 * What remains of the conditions of one terminal when those that another one explains are taken away, in the order
 * given. A condition of one uplink, hub or reader explains only what concerns the same one, or the whole. A code that
 * this release does not know is a cause of its own.
 */
export function causes<C extends NamedCondition>(found: readonly C[]): C[] {
  return found.filter((one) => {
    const explained = conditionNote(one.code)?.dependsOn ?? [];
    return !found.some((other) => explained.includes(other.code) && concernsSame(one, other));
  });
}

function concernsSame(one: NamedCondition, other: NamedCondition): boolean {
  return one.subject === undefined || other.subject === undefined || one.subject === other.subject;
}

/** Errors before warnings, else in the order given; a code that this release does not know counts as an error. */
export function gravestFirst<C extends NamedCondition>(found: readonly C[]): C[] {
  const rank = ({ code }: C): number => (conditionNote(code)?.severity === 'warning' ? 1 : 0);
  return [...found].sort((a, b) => rank(a) - rank(b));
}
