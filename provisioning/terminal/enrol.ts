import type { KeyObject } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Bundle, bundleType } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readTrustedKey } from '#formats/envelope.ts';
import { codeKeys, readCode } from '../code.ts';
import { codeKeyId, peek, type SignedFile, signedBy } from '../envelopes.ts';
import { makeFolder, readOptional, writeChanged } from '../files.ts';
import type { Parts } from '../ports.ts';
import { stickFiles } from '../stick.ts';
import { openAnswer } from './answer.ts';
import { agentConfigFile, install, readDone } from './install.ts';
import { removeTunnel, type TunnelParts, tunnelKeys, uplinkConfigFile } from './tunnel.ts';
import { makePending, type Pending, readPending, removePending } from './pending.ts';

export interface EnrolOrder {
  /** Folder of the bundle. */
  readonly stick: string;
  /** State folder of the terminal. */
  readonly state: string;
  /** The uplink of this machine: its folder, and who makes its keys. */
  readonly tunnel: TunnelParts;
  /** Asked for when it is needed: once, before the request is made. */
  readonly askCode: () => Promise<Result<string>>;
}

export interface Enrolment {
  /** `requested`: the stick goes to the bureau now. `enrolled`: the agent can be started. */
  readonly state: 'requested' | 'enrolled';
  readonly terminal: string;
  readonly site: string;
  /** `requested`: until when the bureau will answer. */
  readonly expiresAt: string;
  /** `enrolled`: configuration of the agent, and of the uplink where the terminal has a tunnel. */
  readonly config?: string;
  readonly uplink?: string;
  /** Whether it had been done before and nothing was changed. */
  readonly repeated: boolean;
}

/**
 * Enrols this terminal, in two halves that are one command: without an answer on the stick it makes keys and writes the
 * request; with one it installs. Whatever interrupts it, the same command goes on where it stopped.
 */
export async function enrol(order: EnrolOrder, parts: Parts): Promise<Result<Enrolment>> {
  const state = resolve(order.state);
  const file = readBundle(order.stick);
  if (!file.ok) return file;
  const { terminal, site, token } = file.value.payload;
  const about = { terminal, site: site.id, expiresAt: token.expiresAt };
  const done = readDone(state);
  if (!done.ok) return done;
  if (done.value !== undefined && done.value.terminal !== terminal) {
    return fail('TERMINAL_FOREIGN', `This machine is ${done.value.terminal}; the bundle is for ${terminal}.`);
  }
  if (done.value?.token === token.id) {
    // Killed after the last file was written, it left only this to do.
    removePending(state);
    removeTunnel(order.tunnel);
    return ok({ ...about, ...enrolled(order, state, file.value.payload), repeated: true });
  }

  const kept = readPending(state);
  if (kept?.token !== token.id) return request(order, state, file.value, parts);
  if (kept.bundle !== file.value.digest) {
    return fail('SIGNATURE_REFUSED', 'The bundle on the stick was changed after the request was made.');
  }
  const answer = readOptional(join(order.stick, stickFiles.answer));
  if (answer === undefined) {
    const changed = writeRequest(order.stick, kept);
    return ok({ ...about, state: 'requested', repeated: !changed });
  }
  const given = openAnswer(answer, file.value.payload, kept);
  if (!given.ok) return given;
  const installed = install({ state, tunnel: order.tunnel }, file.value.payload, kept, given.value);
  if (!installed.ok) return installed;
  removePending(state);
  removeTunnel(order.tunnel);
  return ok({ ...about, ...enrolled(order, state, file.value.payload), repeated: false });
}

function enrolled(
  { tunnel }: EnrolOrder,
  state: string,
  { network }: Bundle,
): Pick<Enrolment, 'state' | 'config' | 'uplink'> {
  return {
    state: 'enrolled',
    config: agentConfigFile(state),
    ...(network !== undefined && { uplink: uplinkConfigFile(tunnel) }),
  };
}

function readBundle(stick: string): Result<SignedFile<Bundle>> {
  const path = join(stick, stickFiles.bundle);
  const text = readOptional(path);
  if (text === undefined) return fail('BUNDLE_INVALID', `There is no ${path}.`);
  return peek(Bundle, text, bundleType, 'BUNDLE_INVALID');
}

async function request(
  order: EnrolOrder,
  state: string,
  file: SignedFile<Bundle>,
  parts: Parts,
): Promise<Result<Enrolment>> {
  const codeKey = await believe(file, order.askCode);
  if (!codeKey.ok) return codeKey;
  makeFolder(state);
  const wireguard = await tunnelKeys(order.tunnel, file.payload);
  if (!wireguard.ok) return wireguard;
  const pending = await makePending(state, file, codeKey.value, wireguard.value, parts);
  if (!pending.ok) return pending;
  writeRequest(order.stick, pending.value);
  const { terminal, site, token } = file.payload;
  return ok({ state: 'requested', terminal, site: site.id, expiresAt: token.expiresAt, repeated: false });
}

/**
 * Believes the bundle because of the code, and of nothing else. Its second signature only tells a changed bundle from a
 * mistyped code: the key for it lies in the bundle itself.
 */
async function believe(file: SignedFile<Bundle>, askCode: EnrolOrder['askCode']): Promise<Result<KeyObject>> {
  const { token, trusted } = file.payload;
  if (!isWhole(file, trusted))
    return fail('SIGNATURE_REFUSED', 'The bundle on the stick was changed or damaged.');
  const typed = await askCode();
  if (!typed.ok) return typed;
  const code = readCode(typed.value);
  if (!code.ok) return code;
  const keys = await codeKeys(code.value, token.salt);
  const key = { id: codeKeyId(token.id), role: 'enrolment', key: keys.publicKey } as const;
  const vouched = signedBy(file, [key], 'enrolment');
  return vouched.ok
    ? ok(keys.privateKey)
    : fail('CODE_WRONG', `It does not open the bundle of ${file.payload.terminal}.`);
}

function isWhole(file: SignedFile<Bundle>, trusted: Bundle['trusted']): boolean {
  try {
    return signedBy(file, trusted.map(readTrustedKey), 'configuration').ok;
  } catch {
    // Nothing in it is believed yet: its keys may be no keys.
    return false;
  }
}

/** Writes the request where it is not there yet; says whether it wrote. */
function writeRequest(stick: string, pending: Pending): boolean {
  const path = join(stick, stickFiles.request);
  const there = readOptional(path) === pending.request;
  writeChanged(path, pending.request, 0o644);
  return !there;
}
