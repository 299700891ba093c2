import { createPublicKey } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EnrolmentRequest, requestType } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { codeKeys, readCode } from '../code.ts';
import { codeKeyId, peek, type SignedFile, signedBy } from '../envelopes.ts';
import { makeFolder, readText, writeWhole } from '../files.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { stickFiles } from '../stick.ts';
import { readRequest } from '../x509.ts';
import { enter, type RequestKeys } from './enter.ts';
import { type Authority, withAuthority } from './open.ts';
import type { TokenRow } from './store.ts';

export interface SignOrder extends AuthorityAt {
  /** The request's file, or the folder that it lies in. */
  readonly request: string;
  /** Folder that the answer is written into; where the request lies, where left out. */
  readonly out?: string | undefined;
  /** The code, where the bureau wants to see that it is the one that was told; the request proves it anyway. */
  readonly code?: string | undefined;
}

export interface Signed {
  readonly terminal: string;
  readonly answer: string;
  /** Whether this request had been answered before: then it is the same answer again. */
  readonly repeated: boolean;
}

/**
 * Answers an enrolment request: the certificate, and the bureau's secrets wrapped to the terminal's key. Answer,
 * certificate, registration and use of the token are one transaction; the very same request gets the same answer again.
 */
export function signRequest(order: SignOrder, parts: Parts): Promise<Result<Signed>> {
  return withAuthority(order, async (authority) => {
    const path = fileOf(order.request);
    const file = peek(EnrolmentRequest, readText(path), requestType, 'REQUEST_INVALID');
    if (!file.ok) return file;
    const done = await authority.store.exclusively(() => answer(authority, file.value, order.code, parts));
    if (!done.ok) return done;
    const out = order.out ?? dirname(path);
    makeFolder(out, 0o755);
    const to = join(resolve(out), stickFiles.answer);
    writeWhole(to, done.value.text, 0o644);
    return ok({ terminal: file.value.payload.terminal, answer: to, repeated: done.value.repeated });
  });
}

function fileOf(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? join(path, stickFiles.request) : path;
}

async function answer(
  authority: Authority,
  file: SignedFile<EnrolmentRequest>,
  code: string | undefined,
  parts: Parts,
): Promise<Result<{ text: string; repeated: boolean }>> {
  const request = file.payload;
  const token = authority.store.get<TokenRow>('SELECT * FROM tokens WHERE id = ?', request.token);
  if (token === undefined) return fail('REQUEST_FOREIGN', 'This authority has made no such bundle.');
  if (code !== undefined) {
    const fits = await codeFits(code, token);
    if (!fits.ok) return fits;
  }
  const codeKey = {
    id: codeKeyId(token.id),
    role: 'enrolment',
    key: createPublicKey(token.code_key),
  } as const;
  const proof = signedBy(file, [codeKey], 'enrolment');
  if (!proof.ok) return fail('SIGNATURE_REFUSED', 'The request was not made with the code of its bundle.');
  if (token.terminal !== request.terminal || token.bundle !== request.bundle) {
    return fail('REQUEST_FOREIGN', 'The request does not fit the bundle that its token came with.');
  }
  if (token.request !== null) return repeat(authority, token, file.digest);
  if (token.voided_at !== null)
    return fail('TOKEN_EXPIRED', 'A newer bundle was made, or the terminal was revoked.');
  if (parts.clock.wall() > Date.parse(token.expires_at))
    return fail('TOKEN_EXPIRED', `It held until ${token.expires_at}.`);
  const keys = await readKeys(request);
  if (!keys.ok) return keys;
  const text = await enter(authority, token, file, keys.value, parts);
  return text.ok ? ok({ text: text.value, repeated: false }) : text;
}

async function codeFits(typed: string, token: TokenRow): Promise<Result<void>> {
  const code = readCode(typed);
  if (!code.ok) return code;
  const { publicKey } = await codeKeys(code.value, token.salt);
  return publicKey.equals(createPublicKey(token.code_key))
    ? ok(undefined)
    : fail('CODE_WRONG', 'The request was made for a bundle with another code.');
}

/** The answer that was given before, if this is the very request that it was given to. */
function repeat(
  authority: Authority,
  token: TokenRow,
  digest: string,
): Result<{ text: string; repeated: boolean }> {
  if (token.request !== digest) return fail('TOKEN_USED', 'Another request was answered for this bundle.');
  const row = authority.store.get<{ revoked_at: string | null }>(
    'SELECT revoked_at FROM terminals WHERE terminal = ?',
    token.terminal,
  );
  if (row?.revoked_at !== null) return fail('TERMINAL_UNKNOWN', 'The terminal has been revoked since.');
  return ok({ text: token.answer ?? '', repeated: true });
}

async function readKeys(request: EnrolmentRequest): Promise<Result<RequestKeys>> {
  const asked = await readRequest(request.certificateRequest);
  if (!asked.ok) return asked;
  if (asked.value.commonName !== request.terminal) {
    return fail('REQUEST_INVALID', 'The certificate request is for another name than the terminal.');
  }
  try {
    const der = Buffer.from(request.wrappingKey, 'base64');
    const wrapping = createPublicKey({ key: der, type: 'spki', format: 'der' });
    if (wrapping.asymmetricKeyType !== 'x25519')
      return fail('REQUEST_INVALID', 'The wrapping key is not X25519.');
    return ok({ tls: asked.value.publicKey, wrapping });
  } catch (cause) {
    return fail('REQUEST_INVALID', 'The wrapping key cannot be read.', cause);
  }
}
