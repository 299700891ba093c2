import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from './errors.ts';

/** What a server must have for us to start it: fastify and node:http adapters alike. */
interface Listenable {
  listen(at: { host: string; port: number }): Promise<unknown>;
  addresses(): { port: number }[];
}

/** Listens, and says in words why it cannot; the answer is the port, also where 0 asked for a free one. */
export async function listen(
  server: Listenable,
  at: { host: string; port: number },
): Promise<Result<number>> {
  try {
    await server.listen(at);
  } catch (cause) {
    const where = `${at.host}:${at.port}`;
    switch (systemCode(cause)) {
      case 'EADDRINUSE':
        return fail('PORT_IN_USE', `Port ${at.port} on ${at.host} is taken.`, cause);
      case 'EADDRNOTAVAIL':
      case 'EACCES':
      case 'ENOTFOUND':
        return fail('ADDRESS_REFUSED', `${where} cannot be listened on (${systemCode(cause)}).`, cause);
      default:
        throw cause;
    }
  }
  return ok(server.addresses()[0]?.port ?? at.port);
}
