import type { AuditEvent } from '#contracts/audit.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { auditDigest, type NamedSecret } from '#formats/keyed.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import type { TrustedTime } from '#runtime/trusted-time.ts';
import type { AuditStamp } from './ports.ts';
import { mainKey, type Question } from './question.ts';
import { isHit } from './views.ts';

/** The entry that a lookup makes in the record: a digest of the number, never the number. */
export function lookupEvent(
  kind: 'lookup' | 'amended' | 'late-hit',
  view: LookupView,
  question: Question | undefined,
  digest: NamedSecret,
): AuditEvent {
  const { verdict } = view;
  return {
    kind,
    lookup: view.lookup,
    officer: view.officer,
    reader: view.reader,
    training: view.training,
    ...(question !== undefined && {
      document: { digest: auditDigest(digest, mainKey(question)), type: question.documentType },
    }),
    verdict: verdict?.kind ?? 'unresolved',
    ...(verdict !== null &&
      'basis' in verdict && { basis: verdict.basis, source: verdict.source, age: verdict.age }),
    ...(verdict !== null && 'reason' in verdict && { reason: verdict.reason }),
    matches: isHit(verdict) ? verdict.matches.length : 0,
  };
}

/** What a verdict makes the terminal owe to the centre: a hit, whole; nothing else. */
export function owedFor(view: LookupView, question: Question): OwedItem[] {
  const { verdict } = view;
  if (!isHit(verdict)) return [];
  const { kind, basis, source, age, matches, recorded } = verdict;
  const { lookup, officer, reader, training, late } = view;
  const document = {
    issuingState: question.issuingState,
    documentNumber: question.numbers[0] ?? '',
    documentType: question.documentType,
  };
  return [
    {
      kind: 'hit',
      lookup,
      verdict: kind,
      document,
      basis,
      source,
      age,
      matches,
      officer,
      reader,
      training,
      late,
      recorded,
    },
  ];
}

/** The stamp of now: trusted time, this boot, and the monotonic clock. */
export function stampOf(time: TrustedTime, clock: Clock, boot: string): AuditStamp {
  return { at: instant(time.now()), clock: time.state, boot, monotonic: Math.floor(clock.monotonic()) };
}
