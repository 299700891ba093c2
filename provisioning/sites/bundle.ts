import { join, resolve } from 'node:path';
import { Bundle, bundleType, type Site } from '#contracts/enrolment.ts';
import { devicePattern, type ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { instant } from '#runtime/clock.ts';
import { parseValue } from '#runtime/parse.ts';
import { uuid7 } from '#runtime/uuid.ts';
import { type Authority, withAuthority } from '../authority/open.ts';
import { voidTokens } from '../authority/revoke.ts';
import { codeKeys, makeCode, readCode } from '../code.ts';
import { codeKeyId } from '../envelopes.ts';
import { makeFolder, readText, remove, writeWhole } from '../files.ts';
import { publicPem, sha256 } from '../keys.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { stickFiles } from '../stick.ts';
import { bundleReadme } from './readme.ts';
import { networkOf } from './network.ts';
import { findSite, terminalId } from './sites.ts';
import { terminalNetwork } from './terminal-network.ts';

export interface BundleOrder extends AuthorityAt {
  readonly site: string;
  /** Which terminal of the site, from 1; may be left out where there is one. */
  readonly terminal?: number | undefined;
  readonly out: string;
  /** Addresses of the centre; those of the authority where left out. */
  readonly centralUrl?: string | undefined;
  readonly fleetUrl?: string | undefined;
  /** The readers' devices by their stable identities (`devicePattern`), with their profiles: `swipe` where left out. */
  readonly readers?: readonly {
    readonly device: string;
    readonly profile?: string;
    readonly baudRate?: number;
  }[];
  /** Reader profiles of the site, beside those that ship. */
  readonly profiles?: readonly ReaderProfile[];
  /** Days until the token expires; 14 where left out. */
  readonly validDays?: number | undefined;
}

export interface MadeBundle {
  readonly terminal: string;
  readonly out: string;
  readonly expiresAt: string;
  /** Told to the engineer by other means than the stick; it is kept nowhere. */
  readonly code: string;
}

/**
 * Makes what goes on the stick for one terminal. Bundles made before for the same terminal and not used become void:
 * one code at a time opens the door.
 */
export function writeBundle(order: BundleOrder, parts: Parts): Promise<Result<MadeBundle>> {
  return withAuthority(order, async (authority) => {
    const { store } = authority;
    const site = findSite(store, order.site);
    if (site === undefined) return fail('SITE_UNKNOWN', 'See the list for those that there are.');
    const signer = authority.signer('configuration');
    if (!signer.ok) return signer;
    const code = makeCode(parts.random);
    const canonical = readCode(code);
    if (!canonical.ok) return canonical;

    return store.exclusively(async () => {
      const bundle = contents(order, authority, site, parts);
      if (!bundle.ok) return bundle;
      const { token, terminal } = bundle.value;
      const keys = await codeKeys(canonical.value, token.salt);
      const payload = Buffer.from(JSON.stringify(bundle.value));
      const byAuthority = signEnvelope(bundleType, payload, signer.value);
      const byCode = signEnvelope(bundleType, payload, { id: codeKeyId(token.id), key: keys.privateKey });
      const envelope = { ...byAuthority, signatures: [...byAuthority.signatures, ...byCode.signatures] };
      voidTokens(store, terminal, parts);
      store.run(
        'INSERT INTO tokens (id, terminal, site, bundle, code_key, salt, made_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        token.id,
        terminal,
        site.id,
        sha256(payload),
        publicPem(keys.publicKey),
        token.salt,
        token.madeAt,
        token.expiresAt,
      );
      write(order.out, bundle.value, `${JSON.stringify(envelope)}\n`);
      return ok({ terminal, out: resolve(order.out), expiresAt: token.expiresAt, code });
    });
  });
}

/** The bundle's own file comes last: a stick that was pulled out too early has none. */
function write(out: string, bundle: Bundle, text: string): void {
  makeFolder(out, 0o755);
  for (const name of [stickFiles.bundle, stickFiles.request, stickFiles.answer]) remove(join(out, name));
  writeWhole(join(out, stickFiles.readme), bundleReadme(bundle), 0o644);
  writeWhole(join(out, stickFiles.bundle), text, 0o644);
}

function contents(order: BundleOrder, authority: Authority, site: Site, parts: Parts): Result<Bundle> {
  const { store } = authority;
  const number = order.terminal ?? (site.terminals === 1 ? 1 : undefined);
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > site.terminals) {
    return fail(
      'USAGE',
      `${site.id} has ${site.terminals} terminals: say which one with --terminal, from 1.`,
    );
  }
  const central = order.centralUrl ?? store.meta('central-url');
  const fleet = order.fleetUrl ?? store.meta('fleet-url');
  if (central === undefined || fleet === undefined) {
    return fail(
      'USAGE',
      'Give --central-url and --fleet-url: the authority was made without addresses of the centre.',
    );
  }
  const days = order.validDays ?? 14;
  if (!Number.isInteger(days) || days < 1 || days > 90)
    return fail('USAGE', '--valid-days is a whole number from 1 to 90.');
  const strange = (order.readers ?? []).find(({ device }) => !new RegExp(devicePattern).test(device));
  if (strange !== undefined) {
    return fail(
      'USAGE',
      `${strange.device} names no reader: write a path that begins with a slash, or an identity such as usb:0403:6001:A50285BI.`,
    );
  }
  const terminal = terminalId(site.id, number);
  const plan = networkOf(store);
  if (plan === undefined && (site.uplinks ?? []).length > 0)
    return fail('NETWORK_ABSENT', `${site.id} has uplinks, and no hub to reach over them.`);
  const network = plan === undefined ? ok(undefined) : terminalNetwork(store, plan, site, terminal);
  if (!network.ok) return network;
  const enrolment = store.meta('enrolment-url');
  const now = parts.clock.wall();
  const bundle = {
    v: 1,
    bureau: authority.bureau,
    site,
    terminal,
    centre: { central, fleet, ...(enrolment !== undefined && { enrolment }) },
    authority: readText(authority.files.root),
    trusted: authority.trusted.keys,
    editionsRoot: readText(authority.files.editionsRoot),
    readers: (order.readers ?? []).map((reader, i) => {
      return {
        id: `counter-${i + 1}`,
        profile: 'swipe',
        feedback: 'discreet',
        replacement: 'accept',
        ...reader,
      };
    }),
    profiles: order.profiles ?? [],
    ...(network.value !== undefined && { network: network.value }),
    token: {
      id: uuid7(now, parts.random),
      salt: Buffer.from(parts.random(new Uint8Array(16))).toString('hex'),
      madeAt: instant(now),
      expiresAt: instant(wall(now + days * 86_400_000)),
    },
  };
  return parseValue(Bundle, bundle, 'USAGE');
}
