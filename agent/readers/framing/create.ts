import type { FramingProfile } from '#contracts/readers.ts';
import { scanElyctis } from './elyctis.ts';
import type { Framing } from './framing.ts';
import { LineFraming } from './lines.ts';
import { Ocr31xFraming } from './ocr31x.ts';
import { scanRte6701 } from './rte6701.ts';
import { ScannedFraming } from './scanned.ts';

/** The framing that a profile names. */
export function createFraming(profile: FramingProfile): Framing {
  switch (profile.kind) {
    case 'lines':
      return new LineFraming(profile);
    case 'ocr31x':
      return new Ocr31xFraming();
    case 'rte6701':
      return new ScannedFraming(scanRte6701(profile.blockCheck));
    case 'elyctis':
    default:
      return new ScannedFraming(scanElyctis);
  }
}
