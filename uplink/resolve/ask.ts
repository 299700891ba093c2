import { isIP } from 'node:net';
import { type Millis, ms } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';

/** How a question to DNS ended. */
export type Answer =
  /** None of them where the name exists without an address, or does not exist. */
  | { readonly result: 'answered'; readonly addresses: readonly string[] }
  /** A server said something else than an answer. */
  | { readonly result: 'failed'; readonly code: string }
  | { readonly result: 'silent' };

export interface Question {
  readonly name: string;
  /** Addresses of DNS servers; an IPv6 one with a port stands in brackets. */
  readonly servers: readonly string[];
  /** Addresses of the uplink by which it is asked: the packets leave by it, since they come from there. */
  readonly localAddresses: readonly string[];
  readonly timeout?: Millis;
}

/** What c-ares says where nobody answered, or where nothing could be sent. */
const silence = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'ECONNRESET']);
/** What it says where a server knows that there is none. */
const nothing = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Asks for the addresses of a name over one uplink: 2 s for each server, once. Of each family that the uplink has;
 * IPv4 first. Only servers of those families are asked. Never rejects.
 */
export async function askName(question: Question): Promise<Answer> {
  const { name, servers, localAddresses, timeout = ms(2000) } = question;
  const four = localAddresses.find((address) => isIP(address) === 4);
  const six = localAddresses.find((address) => isIP(address) === 6);
  const reachable = servers.filter((server) => (familyOf(server) === 4 ? four : six) !== undefined);
  if (reachable.length === 0) return { result: 'silent' };
  try {
    // Loaded only where a hub has a name.
    const { Resolver } = await import('node:dns/promises');
    // A new one each time: it keeps answers and opinions about servers, which belong to the uplink it was made for.
    const resolver = new Resolver({ timeout, tries: 1 });
    resolver.setServers(reachable);
    // A family without an address of ours is never asked; any address of it then serves.
    resolver.setLocalAddress(four ?? '0.0.0.0', six ?? '::');
    const asked = [
      ...(four === undefined ? [] : [settle(resolver.resolve4(name))]),
      ...(six === undefined ? [] : [settle(resolver.resolve6(name))]),
    ];
    return merge(await Promise.all(asked));
  } catch (thrown) {
    // The address of ours is gone, or a server is not an address.
    return { result: 'failed', code: systemCode(thrown) ?? 'EBADQUERY' };
  }
}

function familyOf(server: string): 4 | 6 {
  return server.startsWith('[') || isIP(server) === 6 ? 6 : 4;
}

async function settle(asked: Promise<readonly string[]>): Promise<Answer> {
  try {
    return { result: 'answered', addresses: (await asked).filter((address) => isIP(address) !== 0) };
  } catch (thrown) {
    const code = systemCode(thrown) ?? 'EFORMERR';
    if (nothing.has(code)) return { result: 'answered', addresses: [] };
    return silence.has(code) ? { result: 'silent' } : { result: 'failed', code };
  }
}

/** Of the two families: addresses where there are any, else the most that is known. */
function merge(answers: readonly Answer[]): Answer {
  const addresses = answers.flatMap((answer) => (answer.result === 'answered' ? answer.addresses : []));
  if (addresses.length > 0) return { result: 'answered', addresses };
  return (
    answers.find(({ result }) => result === 'answered') ??
    answers.find(({ result }) => result === 'failed') ?? { result: 'silent' }
  );
}
