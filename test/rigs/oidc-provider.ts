import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the provider misbehaves: each is something that a client must refuse. */
export type Misbehaviour =
  | 'foreign-key'
  | 'unsigned'
  | 'other-nonce'
  | 'other-audience'
  | 'other-issuer'
  | 'expired'
  | 'other-state';

export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in: claims of the ID token. */
  person: Readonly<Record<string, unknown>>;
  misbehaviour: Misbehaviour | undefined;
  /** What the page of the provider was asked, in order. */
  readonly asked: URLSearchParams[];
  close(): Promise<void>;
}

interface Code {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirect: string;
}

/**
 * A tiny OpenID provider on this machine: discovery, keys, authorization code with PKCE (it insists on it), client
 * secret. Whoever comes is signed in at once as `person`.
 */
export async function startOidcProvider(): Promise<OidcProvider> {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, Code>();
  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      response.writeHead(500).end(String(thrown));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: OidcProvider = {
    issuer,
    clientId: 'checkpost',
    clientSecret: 'not:so secret',
    person: { sub: 'anna-1', preferred_username: 'anna' },
    misbehaviour: undefined,
    asked: [],
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
        });
      case '/keys':
        return json(response, 200, {
          keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }],
        });
      case '/authorize':
        return authorize(url.searchParams, response);
      case '/token':
        return token(request, response);
      default:
        response.writeHead(404).end();
    }
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    provider.asked.push(query);
    const redirect = query.get('redirect_uri') ?? '';
    const challenge = query.get('code_challenge') ?? '';
    if (query.get('code_challenge_method') !== 'S256' || challenge === '') {
      response.writeHead(400).end('PKCE is required');
      return;
    }
    const code = randomUUID();
    codes.set(code, { challenge, nonce: query.get('nonce') ?? '', redirect });
    const back = new URL(redirect);
    back.searchParams.set('code', code);
    const state = query.get('state') ?? '';
    back.searchParams.set('state', provider.misbehaviour === 'other-state' ? `${state}x` : state);
    response.writeHead(302, { location: back.href }).end();
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = new URLSearchParams(text);
    const code = codes.get(body.get('code') ?? '');
    codes.delete(body.get('code') ?? '');
    const verifier = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    // RFC 6749, section 2.3.1: each half is form-encoded first.
    const secret = encodeURIComponent(provider.clientSecret).replaceAll('%20', '+');
    const basic = Buffer.from(`${provider.clientId}:${secret}`).toString('base64');
    if (request.headers.authorization !== `Basic ${basic}`)
      return json(response, 401, { error: 'invalid_client' });
    if (code === undefined || verifier !== code.challenge || body.get('redirect_uri') !== code.redirect)
      return json(response, 400, { error: 'invalid_grant' });
    return json(response, 200, {
      access_token: randomUUID(),
      token_type: 'Bearer',
      id_token: idToken(code.nonce),
    });
  }

  function idToken(nonce: string): string {
    const is = provider.misbehaviour;
    const now = Math.floor(Date.now() / 1000) - (is === 'expired' ? 7200 : 0);
    const claims = {
      iss: is === 'other-issuer' ? 'http://127.0.0.1:1' : issuer,
      aud: is === 'other-audience' ? 'somebody-else' : provider.clientId,
      iat: now,
      exp: now + 300,
      nonce: is === 'other-nonce' ? 'other' : nonce,
      ...provider.person,
    };
    return signed(claims, is === 'foreign-key' ? foreign.privateKey : own.privateKey, is === 'unsigned');
  }
  return provider;
}

/** A JWT (RFC 7519) with RS256, or without a signature. */
function signed(claims: object, key: KeyObject, unsigned: boolean): string {
  const header = unsigned ? { alg: 'none' } : { alg: 'RS256', kid: 'one', typ: 'JWT' };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${unsigned ? '' : sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
