import type { KeyPairKeyObjectResult } from 'node:crypto';
import type { WallTime } from '#contracts/units.ts';
import { makeRoot } from '#formats/trust/index.ts';
import { toError } from '#runtime/errors.ts';
import type { EditionKey } from './layout.ts';

/**
 * The first root of trust of the bureau's editions: two of three keys say who signs what, so that one that is lost or
 * stolen neither locks the bureau out nor lets anybody in.
 */
export function makeEditionsRoot(
  pairOf: (name: EditionKey | 'editions') => KeyPairKeyObjectResult,
  expires: WallTime,
): Buffer {
  const roots = [pairOf('editions-root-1'), pairOf('editions-root-2'), pairOf('editions-root-3')];
  const root = makeRoot(
    {
      version: 1,
      expires,
      keys: {
        root: roots.map(({ publicKey }) => publicKey),
        targets: [pairOf('editions').publicKey],
        snapshot: [pairOf('editions-snapshot').publicKey],
        timestamp: [pairOf('editions-timestamp').publicKey],
      },
      thresholds: { root: 2, targets: 1, snapshot: 1, timestamp: 1 },
    },
    roots.map(({ privateKey }) => ({ key: privateKey })),
  );
  if (!root.ok) throw toError(root.fault);
  return root.value;
}
