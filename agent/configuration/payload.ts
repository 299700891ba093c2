import { isDeepStrictEqual } from 'node:util';
import Type, { type Static, type TSchema } from 'typebox';
import {
  Desired,
  desiredType,
  LayerValues,
  limitsType,
  LimitValues,
  SignedEnvelope,
  SignedLimits,
} from '#contracts/configuration.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { parseJson } from '#runtime/parse.ts';
import { parseSettings } from '#runtime/settings.ts';
import { covers, type Identity, type Layer, type Limits, scopeKey, scopeWords } from './merge.ts';

/** What comes on the topic `desired` is at most so long, characters: an envelope with all its limits is shorter. */
const longest = 1_048_576;

/** What tells whom a signed configuration is for, before the rest of it is looked at. */
const Head = Type.Object({
  terminal: Desired.properties.terminal,
  version: Desired.properties.version,
});

/** Values are looked at by themselves, so that a setting that does not exist is named. */
const Outline = Type.Object(
  {
    ...Desired.properties,
    layers: Type.Array(
      Type.Object(
        { scope: Desired.properties.layers.items.properties.scope, values: Type.Unknown() },
        { additionalProperties: false },
      ),
      { maxItems: 4 },
    ),
  },
  { additionalProperties: false },
);
const LimitsOutline = Type.Object(
  { ...SignedLimits.properties, values: Type.Unknown() },
  { additionalProperties: false },
);

/** A configuration whose signature is good and that is for this terminal; nothing else is known of it yet. */
export interface Signed {
  readonly version: number;
  readonly envelope: SignedEnvelope;
  /** As it was signed. */
  readonly text: string;
}

/** Limits whose signature is good and that are for this terminal. */
export interface KnownLimits extends Limits {
  readonly envelope: SignedEnvelope;
}

/** All that a configuration says. */
export interface Content {
  readonly layers: readonly Layer[];
  /** Those of the message and those known before, of each scope the highest version. */
  readonly limits: readonly KnownLimits[];
  readonly uplink: SignedEnvelope | null;
}

/** Faults: ENVELOPE_INVALID, SIGNATURE_REFUSED, CONFIGURATION_INVALID, CONFIGURATION_NOT_FOR_US. */
export function openDesired(
  text: string,
  trusted: readonly TrustedKey[],
  { terminal }: Identity,
): Result<Signed> {
  if (text.length > longest) return fail('ENVELOPE_INVALID', `It is longer than ${longest} characters.`);
  const envelope = parseJson(SignedEnvelope, text, 'ENVELOPE_INVALID');
  if (!envelope.ok) return envelope;
  const opened = openEnvelope(envelope.value, { payloadType: desiredType, role: 'commands', trusted });
  if (!opened.ok) return opened;
  const payload = opened.value.payload.toString();
  const head = parseJson(Head, payload, 'CONFIGURATION_INVALID');
  if (!head.ok) return head;
  if (head.value.terminal !== terminal)
    return fail('CONFIGURATION_NOT_FOR_US', `It is for terminal ${head.value.terminal}.`);
  return ok({ version: head.value.version, envelope: envelope.value, text: payload });
}

/**
 * Everything in it, each value by its schema. Faults: CONFIGURATION_INVALID, which names every wrong setting;
 * CONFIGURATION_NOT_FOR_US; CONFIGURATION_OLDER for limits below `known`; ENVELOPE_INVALID and SIGNATURE_REFUSED for limits.
 */
export function readContent(
  signed: Signed,
  trusted: readonly TrustedKey[],
  identity: Identity,
  known: readonly KnownLimits[],
): Result<Content> {
  const outline = parseJson(Outline, signed.text, 'CONFIGURATION_INVALID');
  if (!outline.ok) return outline;
  const layers: Layer[] = [];
  for (const { scope, values } of outline.value.layers) {
    const words = `the layer of ${scopeWords(scope)}`;
    if (!covers(scope, identity)) return fail('CONFIGURATION_NOT_FOR_US', `It has ${words}.`);
    if (layers.some((layer) => layer.scope.layer === scope.layer))
      return fail('CONFIGURATION_INVALID', `It has ${words} twice.`);
    const read = readValues(LayerValues, values, words);
    if (!read.ok) return read;
    layers.push({ scope, values: read.value });
  }
  const limits = addLimits(outline.value.limits, trusted, identity, known);
  return limits.ok ? ok({ layers, limits: limits.value, uplink: outline.value.uplink }) : limits;
}

/** Whether two say the same, whenever they were signed. */
export function saySame(one: Signed, other: Signed): boolean {
  const said = (signed: Signed): unknown => {
    const value: unknown = JSON.parse(signed.text);
    return typeof value === 'object' && value !== null ? { ...value, at: undefined } : value;
  };
  return isDeepStrictEqual(said(one), said(other));
}

/** Faults: as `readContent` for its limits. */
export function addLimits(
  envelopes: readonly SignedEnvelope[],
  trusted: readonly TrustedKey[],
  identity: Identity,
  known: readonly KnownLimits[],
): Result<KnownLimits[]> {
  const highest = new Map(known.map((limits) => [scopeKey(limits.scope), limits]));
  for (const envelope of envelopes) {
    const read = readLimits(envelope, trusted, identity);
    if (!read.ok) return read;
    const { scope, version, values } = read.value;
    const before = highest.get(scopeKey(scope));
    const words = `the limits of ${scopeWords(scope)}`;
    if (before !== undefined && version < before.version)
      return fail('CONFIGURATION_OLDER', `It has ${words}, version ${version}; known is ${before.version}.`);
    if (before?.version === version && !isDeepStrictEqual(values, before.values))
      return fail('CONFIGURATION_OLDER', `It has ${words}, version ${version}, which say something else.`);
    highest.set(scopeKey(scope), read.value);
  }
  return ok([...highest.values()]);
}

function readLimits(
  envelope: SignedEnvelope,
  trusted: readonly TrustedKey[],
  identity: Identity,
): Result<KnownLimits> {
  const opened = openEnvelope(envelope, { payloadType: limitsType, role: 'configuration', trusted });
  if (!opened.ok) return fail(opened.fault.code, `Its limits: ${opened.fault.detail}`);
  const outline = parseJson(LimitsOutline, opened.value.payload.toString(), 'CONFIGURATION_INVALID');
  if (!outline.ok) return fail('CONFIGURATION_INVALID', `Its limits: ${outline.fault.detail}`);
  const { version, scope } = outline.value;
  if (!covers(scope, identity))
    return fail('CONFIGURATION_NOT_FOR_US', `It has the limits of ${scopeWords(scope)}.`);
  const values = readValues(LimitValues, outline.value.values, `the limits of ${scopeWords(scope)}`);
  return values.ok ? ok({ version, scope, values: values.value, envelope }) : values;
}

function readValues<S extends TSchema>(schema: S, values: unknown, words: string): Result<Static<S>> {
  const read = parseSettings(schema, values, words);
  return read.ok ? read : fail('CONFIGURATION_INVALID', read.fault.detail);
}
