import { createHash } from 'node:crypto';
import Type from 'typebox';
import { Check } from 'typebox/value';
import type { Result } from '#contracts/result.ts';
import { parseJson } from '#runtime/parse.ts';
import { setsOf } from './conditions.ts';
import { type Target, type TimedMode, timedModes } from './facts.ts';

/** What the kernel holds, as nft(8) lists it (libnftables-json(5)). */
export interface Listed {
  /** A digest of chains, sets and rules; without handles, counters, and what is in a timed set. */
  readonly digest: string;
  readonly rules: number;
  /** What timed modes let out, with whole seconds until the kernel drops it. */
  readonly open: readonly { readonly mode: TimedMode; readonly target: Target; readonly seconds: number }[];
}

const Listing = Type.Object({
  nftables: Type.Array(Type.Record(Type.String(), Type.Unknown()), { maxItems: 10_000 }),
});
const TimedElement = Type.Object({
  elem: Type.Object({
    val: Type.Object({
      concat: Type.Tuple([
        Type.String(),
        Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
        Type.Integer({ minimum: 1, maximum: 65_535 }),
      ]),
    }),
    expires: Type.Integer({ minimum: 0 }),
  }),
});
const SetWithElements = Type.Object({ name: Type.String(), elem: Type.Array(Type.Unknown()) });

/** Reads what `nft --json list table` printed. Nonsense is FIREWALL_FAILED. */
export function readListing(text: string): Result<Listed> {
  const parsed = parseJson(Listing, text, 'FIREWALL_FAILED');
  if (!parsed.ok)
    return { ok: false, fault: { ...parsed.fault, detail: `nft lists nonsense: ${parsed.fault.detail}` } };
  const objects = parsed.value.nftables.filter((object) => object['metainfo'] === undefined);
  return {
    ok: true,
    value: {
      digest: createHash('sha256')
        .update(JSON.stringify(objects.map(plain)))
        .digest('hex'),
      rules: objects.filter((object) => object['rule'] !== undefined).length,
      open: objects.flatMap((object) => openIn(object['set'])),
    },
  };
}

/** The same whatever has been counted since, and in whichever order the kernel keeps the elements of a set. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => name !== 'handle');
  return Object.fromEntries(
    fields
      .map(([name, inner]) => {
        if (name === 'counter') return [name, null];
        if (name !== 'elem' || !Array.isArray(inner)) return [name, plain(inner)];
        // What has no end in a timed set is none of ours, and so is part of the digest.
        const lasting = inner.filter((one) => !Check(TimedElement, one));
        return [name, lasting.map((one) => JSON.stringify(plain(one))).sort()];
      })
      .filter(([name, inner]) => name !== 'elem' || (inner as unknown[]).length > 0),
  );
}

function openIn(set: unknown): Listed['open'] {
  if (!Check(SetWithElements, set)) return [];
  const mode = timedModes.find((one) => setsOf(one).includes(set.name));
  if (mode === undefined) return [];
  return set.elem.flatMap((element) => {
    if (!Check(TimedElement, element)) return [];
    const { val, expires } = element.elem;
    const [address, protocol, port] = val.concat;
    return [{ mode, target: { address, protocol, port }, seconds: expires }];
  });
}
