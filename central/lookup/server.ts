import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { ms, type WallTime } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads certificates and key. Faults: CREDENTIAL_UNREADABLE, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID; each names
 * the file. A service whose own certificate no terminal accepts is better not started.
 */
export async function readTlsFiles(files: CentralSettings['tls'], now: WallTime): Promise<Result<TlsFiles>> {
  const texts: string[] = [];
  for (const file of [files.authority, files.certificate, files.key]) {
    try {
      texts.push(await readFile(file, 'utf8'));
    } catch (cause) {
      return fail('CREDENTIAL_UNREADABLE', `${file} (${systemCode(cause) ?? 'unknown'}).`, cause);
    }
  }
  const [ca = '', cert = '', key = ''] = texts;
  try {
    const { validFrom, validTo } = new X509Certificate(cert);
    if (Date.parse(validTo) <= now) {
      return fail('CERTIFICATE_EXPIRED', `${files.certificate} ran out on ${validTo}.`);
    }
    if (Date.parse(validFrom) > now) {
      return fail('CERTIFICATE_NOT_YET_VALID', `${files.certificate} holds from ${validFrom} on.`);
    }
    return ok({ ca, cert, key });
  } catch (cause) {
    return fail('CREDENTIAL_UNREADABLE', `${files.certificate} is not a certificate in PEM.`, cause);
  }
}

/** Kept longer than the pause between two probes or polls of a terminal: the next one is a round trip, no handshake. */
const keepAliveMillis = 330_000;
/** A satellite link with losses may take this long for a kilobyte; what takes longer holds a connection for nothing. */
const requestMillis = 20_000;

/**
 * An HTTPS server that speaks to nobody without a certificate of the authority (TLS 1.3, mutual). The fault is
 * CREDENTIAL_UNREADABLE where certificate and key do not fit together. `refused` is told why a handshake failed.
 */
export function createTlsServer(tls: TlsFiles, refused: (why: string) => void): Result<Server> {
  try {
    const server = createServer({
      ...tls,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
      keepAliveTimeout: keepAliveMillis,
      requestTimeout: requestMillis,
      headersTimeout: requestMillis,
      handshakeTimeout: requestMillis,
      maxHeaderSize: 8192,
    });
    server.on('tlsClientError', (error, socket: TLSSocket) => {
      // Where the certificate was the reason, the socket knows it, and the error says only that it was closed.
      const why: unknown = socket.authorizationError;
      refused(typeof why === 'string' ? why : (systemCode(error) ?? 'unknown'));
    });
    return ok(server);
  } catch (cause) {
    const why = systemCode(cause) ?? 'unknown';
    return fail(
      'CREDENTIAL_UNREADABLE',
      `Certificate and key of the lookup service do not fit (${why}).`,
      cause,
    );
  }
}

/** What runtime/listen.ts asks of a server. */
export function listenable(server: Server) {
  return {
    listen: (at: { host: string; port: number }) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(at, () => {
          server.removeListener('error', reject);
          resolve();
        });
      }),
    addresses: () => {
      const address = server.address();
      return typeof address === 'object' && address !== null ? [address] : [];
    },
  };
}

/** Stops listening, lets what is being answered end, and closes every kept connection. */
export async function closeServer(server: Server, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const spare = clock.after(ms(1000), () => server.closeAllConnections());
  await closed;
  spare();
}
