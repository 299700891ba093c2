import { LayerScope, limitsType, SignedLimits } from '#contracts/configuration.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { parseValue } from '#runtime/parse.ts';
import { writeWhole } from '../files.ts';
import type { AuthorityAt } from '../ports.ts';
import { withAuthority } from './open.ts';

export interface LimitsOrder extends AuthorityAt {
  /** `fleet`, `bureau:UTO`, `site:UTO-0001` or `terminal:UTO-0001-1`. */
  readonly scope: string;
  /** What is left out is not limited: what enrolment wrote holds. */
  readonly editionMaxAgeSeconds?: number | undefined;
  readonly cacheMaxAgeSeconds?: number | undefined;
  /** The file to write. */
  readonly out: string;
}

/**
 * Signs age limits with the offline key of configuration: the centre passes them on to every terminal of the scope. Each
 * has a higher version than the one before for the same scope, so that an old file cannot be used again.
 *
 * Faults: USAGE, AUTHORITY_ABSENT, PASSPHRASE_WRONG; FILE_REFUSED is thrown.
 */
export function signLimits(
  order: LimitsOrder,
): Promise<Result<{ file: string; scope: string; version: number }>> {
  const { scope: words, editionMaxAgeSeconds, cacheMaxAgeSeconds, out } = order;
  const [layer, key] = words.split(':');
  const scope = parseValue(LayerScope, key === undefined ? { layer } : { layer, key }, 'USAGE');
  if (!scope.ok) {
    const forms = 'fleet, bureau:UTO, site:UTO-0001 or terminal:UTO-0001-1';
    return Promise.resolve(fail('USAGE', `--scope is one of the form ${forms}, not ${words}.`));
  }
  return withAuthority<{ file: string; scope: string; version: number }>(order, async (authority) => {
    const signer = authority.signer('configuration');
    if (!signer.ok) return signer;
    const { store } = authority;
    return store.exclusively(async () => {
      const name = `limits-version ${words}`;
      const version = Number(store.meta(name) ?? '0') + 1;
      const policy = {
        ...(editionMaxAgeSeconds !== undefined && { editionMaxAgeSeconds }),
        ...(cacheMaxAgeSeconds !== undefined && { cacheMaxAgeSeconds }),
      };
      const limits = parseValue(
        SignedLimits,
        { v: 1, version, scope: scope.value, values: { policy } },
        'USAGE',
      );
      if (!limits.ok) return { ok: false, fault: rangeFault(limits.fault) };
      const envelope = signEnvelope(limitsType, Buffer.from(JSON.stringify(limits.value)), signer.value);
      writeWhole(out, `${JSON.stringify(envelope)}\n`);
      store.setMeta(name, String(version));
      return ok({ file: out, scope: words, version });
    });
  });
}

function rangeFault({ detail }: Fault): Fault {
  return { code: 'USAGE', detail: `A limit is out of its range: ${detail}` };
}
