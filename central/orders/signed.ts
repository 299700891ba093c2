import Type from 'typebox';
import { limitsType, SignedEnvelope, SignedLimits } from '#contracts/configuration.ts';
import { TerminalId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { configurationType } from '#contracts/uplink.ts';
import { openEnvelope } from '#formats/envelope.ts';
import { instant } from '#runtime/clock.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';
import { placeOf } from './layers.ts';
import type { OrdersParts } from './ports.ts';
import { scopeName, scopeTitle } from './scope.ts';
import { inner } from './sql.ts';
import { canonical } from './values.ts';

/** What is needed of a signed network configuration: the helper of the uplink opens the rest (uplink/configuration). */
const UplinkHeading = Type.Object({
  v: Type.Literal(1),
  terminal: TerminalId,
  version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});

/** Most characters of an envelope: what makes up a configuration fits into one message. */
const longestEnvelope = 24_000;

export interface Uploaded {
  readonly kind: 'limits' | 'uplink';
  /** `fleet`, `bureau:UTO` … */
  readonly scope: string;
  readonly version: number;
}

type Parts = Pick<OrdersParts, 'db' | 'registry' | 'trusted' | 'audit' | 'addEvent' | 'clock'>;

/** What the offline key signed, as an administrator uploaded it: passed on as it is, once it has been checked. */
export class SignedBook {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Keeps an envelope of limits or of a network configuration. Faults: REQUEST_INVALID, ENVELOPE_INVALID,
   * SIGNATURE_REFUSED, TERMINAL_UNKNOWN, CONFIGURATION_REFUSED where its version is not higher than the one kept.
   */
  async upload(given: unknown, by: string): Promise<Result<Uploaded>> {
    const envelope = parseValue(SignedEnvelope, given, 'ENVELOPE_INVALID');
    if (!envelope.ok) return envelope;
    const text = JSON.stringify(envelope.value);
    if (text.length > longestEnvelope)
      return fail('REQUEST_INVALID', `An envelope has at most ${longestEnvelope} characters.`);
    switch (envelope.value.payloadType) {
      case limitsType:
        return this.#limits(envelope.value, text, by);
      case configurationType:
        return this.#uplink(envelope.value, text, by);
      default:
        return fail('ENVELOPE_INVALID', `It is a ${envelope.value.payloadType}: nothing that is kept here.`);
    }
  }

  async #limits(envelope: SignedEnvelope, text: string, by: string): Promise<Result<Uploaded>> {
    const payload = this.#open(envelope, limitsType);
    if (!payload.ok) return payload;
    const limits = parseJson(SignedLimits, payload.value, 'ENVELOPE_INVALID');
    if (!limits.ok) return limits;
    const { scope, version, values } = limits.value;
    const name = scopeName(scope);
    return this.#keep(
      { kind: 'limits', scope: name, version },
      by,
      'signed_limits',
      'scope',
      name,
      (tx, at) =>
        tx.run(
          `INSERT INTO signed_limits (scope, version, body, envelope, at, by_whom) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (scope) DO UPDATE SET version = excluded.version, body = excluded.body,
           envelope = excluded.envelope, at = excluded.at, by_whom = excluded.by_whom`,
          name,
          version,
          JSON.stringify(canonical(values)),
          text,
          at,
          by,
        ),
    );
  }

  async #uplink(envelope: SignedEnvelope, text: string, by: string): Promise<Result<Uploaded>> {
    const payload = this.#open(envelope, configurationType);
    if (!payload.ok) return payload;
    const heading = parseJson(UplinkHeading, payload.value, 'ENVELOPE_INVALID');
    if (!heading.ok) return heading;
    const { terminal, version } = heading.value;
    if (this.#parts.registry.find(terminal) === undefined)
      return fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered.`);
    const scope = `terminal:${terminal}`;
    return this.#keep(
      { kind: 'uplink', scope, version },
      by,
      'signed_uplinks',
      'terminal',
      terminal,
      (tx, at) =>
        tx.run(
          `INSERT INTO signed_uplinks (terminal, version, envelope, at, by_whom) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (terminal) DO UPDATE SET version = excluded.version, envelope = excluded.envelope,
           at = excluded.at, by_whom = excluded.by_whom`,
          terminal,
          version,
          text,
          at,
          by,
        ),
    );
  }

  #open(envelope: SignedEnvelope, payloadType: string): Result<string> {
    const { trusted } = this.#parts;
    const opened = openEnvelope(envelope, { payloadType, role: 'configuration', trusted });
    return opened.ok ? ok(opened.value.payload.toString('utf8')) : opened;
  }

  async #keep(
    uploaded: Uploaded,
    by: string,
    table: 'signed_limits' | 'signed_uplinks',
    column: 'scope' | 'terminal',
    key: string,
    write: (tx: Parameters<Parameters<Parts['db']['transaction']>[0]>[0], at: string) => Promise<number>,
  ): Promise<Result<Uploaded>> {
    const { db, registry, audit, addEvent, clock } = this.#parts;
    const { kind, scope, version } = uploaded;
    const at = instant(clock.wall());
    const done = await db.transaction(async (tx): Promise<Result<Uploaded>> => {
      await tx.lock(`layer:${kind}:${key}`);
      const now = await tx.get<{ version: number }>(`SELECT version FROM ${table} WHERE ${column} = ?`, key);
      if (now !== undefined && version <= now.version)
        return fail(
          'CONFIGURATION_REFUSED',
          `It has version ${version}; version ${now.version} is kept here.`,
        );
      await write(tx, at);
      tx.announce('layer', scope);
      const what = kind === 'limits' ? 'Limits' : 'Network';
      const text = `${what} of ${scopeTitle(scope)}, signed offline (version ${version}), uploaded by ${by}.`;
      const place = placeOf(scope, (one) => registry.find(one));
      await addEvent(tx, { at, ...place, kind: 'configuration', text, severity: 'info' });
      const { terminal, bureau } = place;
      await audit(tx, { at, by, action: 'signed-configuration', terminal, bureau, text });
      return ok(uploaded);
    });
    return inner(done);
  }
}
