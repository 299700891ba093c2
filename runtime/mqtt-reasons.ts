import { fail, type Fault, type Result } from '#contracts/result.ts';
import { systemCode } from './errors.ts';
import { certificateFault } from './tls-fault.ts';

/** Reason codes of MQTT 5.0 (section 2.4) and errors of the connection, as faults in words. */

/** Another session with the same identity took this one's place (MQTT 5.0 section 4.13). */
const takenOver = 0x8e;
/** The broker has no room at present: who comes back at once makes it worse. */
const busy: ReadonlySet<number> = new Set([0x88, 0x89, 0x97, 0x9f]);

/** The fault of a reason code with which the broker refused or ended something; `what` begins the sentence. */
export function reasonFault(
  code: number,
  what: string,
  cause?: unknown,
): Result<never> & { readonly ok: false } {
  const detail = `${what}: ${reasonWords(code)}.`;
  if (code === takenOver) return fail('IDENTITY_TAKEN_OVER', detail, cause);
  return fail(busy.has(code) ? 'BROKER_BUSY' : 'BROKER_REFUSED', detail, cause);
}

/** The fault of an error that MQTT.js or the system gave. */
export function linkFault(error: Error): Fault {
  const reason = (error as { code?: unknown }).code;
  if (typeof reason === 'number') return reasonFault(reason, `Reason ${reason}`, error).fault;
  const certificate = certificateFault(error, 'the broker');
  if (certificate?.ok === false) return certificate.fault;
  const words = systemCode(error) ?? error.message;
  return fail('BROKER_UNREACHABLE', `The connection failed (${words}).`, error).fault;
}

/**
 * Whether an error of the connection comes from the far end: through a tunnel a reset or a refusal can only come from
 * there, while a line that is down says nothing at all or has no route.
 */
export function isFromBroker(error: Error): boolean {
  return fromBroker.has(systemCode(error) ?? '');
}

const fromBroker: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE']);

function reasonWords(code: number): string {
  return reasons[code] ?? `reason code ${code}`;
}

/** Those that an operator may meet. */
const reasons: Readonly<Record<number, string>> = {
  0x00: 'an ordinary end',
  0x80: 'unspecified error',
  0x81: 'malformed packet',
  0x82: 'protocol error',
  0x83: 'an error of its implementation',
  0x84: 'protocol version not supported',
  0x85: 'client identifier not valid',
  0x86: 'bad user name or password',
  0x87: 'not authorised',
  0x88: 'server unavailable',
  0x89: 'server busy',
  0x8a: 'banned',
  0x8b: 'server shutting down',
  0x8d: 'keep-alive timeout',
  0x8e: 'another connection took over this session',
  0x8f: 'topic filter invalid',
  0x90: 'topic name invalid',
  0x93: 'receive maximum exceeded',
  0x95: 'packet too large',
  0x96: 'message rate too high',
  0x97: 'quota exceeded',
  0x98: 'administrative action',
  0x99: 'payload format invalid',
  0x9a: 'retain not supported',
  0x9c: 'use another server',
  0x9d: 'server moved',
  0x9e: 'shared subscriptions not supported',
  0x9f: 'connection rate exceeded',
  0xa2: 'wildcard subscriptions not supported',
};
