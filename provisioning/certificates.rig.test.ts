import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueServer } from '#provisioning/index.ts';
import { type Bureau, makeBureau, valueOf } from '#test/rigs/bureau.ts';

let bureau: Bureau;
let foreign: Bureau;
let terminal: string;
let stranger: string;

beforeAll(async () => {
  [bureau, foreign] = [await makeBureau(), await makeBureau()];
  [terminal, stranger] = [join(await bureau.enrolled(), 'tls'), join(await foreign.enrolled(), 'tls')];
  for (const each of [bureau, foreign]) {
    const reached = { dns: ['localhost'], ip: ['127.0.0.1'] };
    const order = { ...each.authority, ...reached, name: 'central', out: each.at('central') };
    valueOf(await issueServer(order, each.parts));
  }
});
afterAll(() => {
  bureau.close();
  foreign.close();
});

interface Met {
  /** What stopped the client or the server, or undefined where both were content. */
  readonly refused: string | undefined;
  readonly client: string | undefined;
}

/** A handshake with mutual TLS between the credentials of two folders; the name in the certificate of the client. */
async function meet(server: string, client: string, name = 'localhost'): Promise<Met> {
  const listener = createServer({ ...credentials(server), requestCert: true, rejectUnauthorized: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const accepted = new Promise<Met>((resolve) => {
    listener.once('secureConnection', (socket: TLSSocket) => {
      const names = socket.getPeerCertificate().subject.CN;
      resolve({ refused: undefined, client: Array.isArray(names) ? names[0] : names });
      socket.destroy();
    });
    listener.once('tlsClientError', (error: NodeJS.ErrnoException) =>
      resolve({ refused: error.code, client: undefined }),
    );
  });
  const socket = connect({ ...credentials(client), host: '127.0.0.1', port, servername: name });
  const refused = new Promise<Met>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ refused: error.code, client: undefined }),
    );
  });
  const met = await Promise.race([accepted, refused]);
  socket.destroy();
  listener.close();
  return met;
}

function credentials(folder: string) {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  return {
    ca: read('authority.pem'),
    cert: read('certificate.pem'),
    key: read('key.pem'),
    minVersion: 'TLSv1.3',
  } as const;
}

test('a terminal and a server of its authority believe each other, under the server’s names', async () => {
  expect(await meet(bureau.at('central'), terminal)).toEqual({ refused: undefined, client: 'UTO-0001-1' });
});

test('a server that is called by a name which is not in its certificate is refused', async () => {
  expect((await meet(bureau.at('central'), terminal, 'elsewhere')).refused).toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
});

test('a server of another authority is refused by the terminal', async () => {
  expect((await meet(foreign.at('central'), terminal)).refused).toMatch(/SELF_SIGNED_CERT|UNABLE_TO/);
});

test('a terminal of another authority is refused by the server, though it believes the server', async () => {
  // Refused as a server of ours refuses; then let in by hand, to see the reason.
  for (const rejectUnauthorized of [true, false]) {
    const listener = createServer({
      ...credentials(bureau.at('central')),
      requestCert: true,
      rejectUnauthorized,
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const refused = once(listener, rejectUnauthorized ? 'tlsClientError' : 'secureConnection');
    const { cert, key } = credentials(stranger);
    const { ca } = credentials(terminal);
    const socket = connect({ ca, cert, key, host: '127.0.0.1', port, servername: 'localhost' });
    socket.on('error', () => {});
    const [first] = (await refused) as [NodeJS.ErrnoException | TLSSocket];
    if ('authorized' in first) {
      expect(first.authorized).toBe(false);
      expect(String(first.authorizationError)).toMatch(/SELF_SIGNED|UNABLE_TO/);
    }
    socket.destroy();
    listener.close();
  }
});

test('a terminal’s certificate cannot serve: another terminal refuses it', async () => {
  // It has no server name, and is good for connecting only (RFC 5280 § 4.2.1.12).
  expect((await meet(terminal, terminal)).refused).toMatch(/INVALID_PURPOSE|ALTNAME/);
});
