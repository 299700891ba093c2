import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Type, { type Static } from 'typebox';
import { authorityFiles, type IssuedCredential, issueForPlay } from '#provisioning/index.ts';
import type { Clock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import { machineParts } from '../../../bin/verbs.ts';

export interface CredentialsOrder {
  /** Folder of the authority that issues them; without a passphrase. */
  readonly authority: string;
  /** Where they are kept, so that the next run has the same: a file that holds private keys of terminals that are none. */
  readonly keep: string;
  readonly names: readonly string[];
  readonly clock: Clock;
}

export interface KeptCredential extends IssuedCredential {
  /** When it was issued. */
  readonly at: string;
}

const Line = Type.Object({
  name: Type.String(),
  certificate: Type.String(),
  key: Type.String(),
  digest: Type.String(),
  at: Type.String(),
});

/** What runs out within this time, in milliseconds, is made anew. */
const spare = 86_400_000;

/** Certificates of played terminals, in the order of the names: those that were kept, and new ones for the others. */
export async function keptCredentials(order: CredentialsOrder): Promise<KeptCredential[]> {
  const { authority, keep, names, clock } = order;
  const kept = readKept(order);
  const missing = names.filter((name) => !kept.has(name));
  if (missing.length > 0) {
    const issued = await issueForPlay({ dir: authority, names: missing }, machineParts);
    if (!issued.ok) throw toError(issued.fault);
    const at = new Date(clock.wall()).toISOString();
    for (const one of issued.value) kept.set(one.name, { ...one, at });
    writeKept(keep, [...kept.values()]);
  }
  return names.flatMap((name) => kept.get(name) ?? []);
}

/** Those of an authority that was made anew are of no use any more. */
function readKept({ authority, keep, clock }: CredentialsOrder): Map<string, KeptCredential> {
  let text: string;
  try {
    text = readFileSync(keep, 'utf8');
  } catch {
    return new Map();
  }
  const issuing = readFileSync(authorityFiles(authority).issuing, 'utf8').trim();
  const lines = text.split('\n').flatMap((line): Static<typeof Line>[] => {
    const parsed = parseJson(Line, line, 'MESSAGE_INVALID');
    return parsed.ok ? [parsed.value] : [];
  });
  return new Map(
    lines
      .filter(({ certificate }) => certificate.includes(issuing))
      .filter(
        ({ certificate }) => new X509Certificate(certificate).validToDate.getTime() > clock.wall() + spare,
      )
      .map((one) => [one.name, one]),
  );
}

function writeKept(file: string, all: readonly KeptCredential[]): void {
  mkdirSync(dirname(file), { recursive: true });
  const beside = join(dirname(file), `.${process.pid}.credentials`);
  writeFileSync(beside, all.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 });
  renameSync(beside, file);
}
