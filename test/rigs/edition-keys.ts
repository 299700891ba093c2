import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KeyRingParts } from '#agent/editions/index.ts';
import {
  fingerprintKeyContext,
  type FingerprintKeys,
  fingerprintKeysPath,
  fingerprintKeysType,
} from '#contracts/fingerprint-keys.ts';
import { signEnvelope } from '#formats/envelope.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { wrap } from '#formats/sealed.ts';

/** A bureau that hands out fingerprint keys to one terminal, well or, on a test's word, wrongly. */
export class KeyGiver {
  readonly signing = generateKeyPairSync('ed25519');
  readonly wrapping = generateKeyPairSync('x25519');
  readonly terminal = 'UTO-0001-1';

  /** What the terminal has from its enrolment. */
  get terminalKeys(): Pick<KeyRingParts, 'terminal' | 'trusted' | 'wrapping'> {
    return {
      terminal: this.terminal,
      trusted: [{ id: 'editions-1', role: 'editions', key: this.signing.publicKey }],
      wrapping: this.wrapping.privateKey,
    };
  }

  /** The file of these keys. */
  file(
    secrets: readonly NamedSecret[],
    wrong: {
      readonly terminal?: string;
      readonly recipient?: KeyObject;
      readonly signer?: KeyObject;
      readonly payloadType?: string;
      /** Says that the keys have this id; what is sealed has its own. */
      readonly id?: string;
    } = {},
  ): string {
    const terminal = wrong.terminal ?? this.terminal;
    const payload: FingerprintKeys = {
      v: 1,
      terminal,
      keys: secrets.map(({ id, key }) => {
        const plain = JSON.stringify({ id, secret: key.export().toString('hex') });
        const said = wrong.id ?? id;
        const context = fingerprintKeyContext(terminal, said);
        const recipient = wrong.recipient ?? this.wrapping.publicKey;
        return { id: said, wrapped: wrap(recipient, context, Buffer.from(plain)) };
      }),
    };
    const envelope = signEnvelope(
      wrong.payloadType ?? fingerprintKeysType,
      Buffer.from(JSON.stringify(payload)),
      {
        id: 'editions-1',
        key: wrong.signer ?? this.signing.privateKey,
      },
    );
    return JSON.stringify(envelope);
  }

  /** Puts a file where the terminal looks. */
  put(repository: string, text: string): void {
    const path = join(repository, fingerprintKeysPath(this.terminal));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
