import { describe, expect, test } from 'vitest';
import { builtInProfiles, chooseProfile, chooseProfiles } from './profiles.ts';

const swipe = builtInProfiles.find(({ name }) => name === 'swipe');

describe('The profile of a reader', () => {
  test('is the one that ships, with the speed and the silence that its settings say', () => {
    expect(chooseProfile({ profile: 'swipe', baudRate: 19_200, idleMillis: 50 }, [])).toMatchObject({
      ok: true,
      value: { name: 'swipe', link: { baudRate: 19_200, parity: 'none' }, idleMillis: 50 },
    });
    expect(chooseProfile({ profile: 'swipe' }, [])).toEqual({ ok: true, value: swipe });
  });

  test('is the own one of the site where it has the name of one that ships', () => {
    if (swipe === undefined) throw new Error('there is no profile swipe');
    const own = { ...swipe, title: 'ours' };
    expect(chooseProfile({ profile: 'swipe' }, [own])).toMatchObject({ value: { title: 'ours' } });
  });

  test('that there is not, an id that is there twice or taken, a speed without a line: all are said at once', () => {
    const chosen = chooseProfiles(
      [
        { id: 'typed', profile: 'swipe' },
        { id: 'a', profile: 'swipe' },
        { id: 'a', profile: 'no-such' },
        { id: 'b', profile: 'keyboard-wedge', baudRate: 9600 },
      ],
      [],
    );
    if (chosen.ok) throw new Error('it was accepted');
    expect(chosen.fault.code).toBe('SETTINGS_INVALID');
    const lines = chosen.fault.detail.split('\n').map((line) => line.split(':')[0]);
    expect(lines).toEqual(['readers.0.id', 'readers.2.id', 'readers.2.profile', 'readers.3.baudRate']);
  });

  test('whose members do not fit each other, a name or a device that is there twice: each is said', () => {
    if (swipe === undefined) throw new Error('there is no profile swipe');
    const chosen = chooseProfiles(
      [
        { id: 'a', profile: 'swipe', device: '/dev/ttyS0' },
        { id: 'b', profile: 'swipe', device: '/dev/ttyS0' },
      ],
      [
        { ...swipe, name: 'ours', can: { ...swipe.can, trigger: true } },
        { ...swipe, name: 'ours', protocol: { kind: 'elyctis' } },
        { ...swipe, name: 'keys', link: { kind: 'keyboard', layout: 'us' }, framing: { kind: 'ocr31x' } },
      ],
    );
    if (chosen.ok) throw new Error('it was accepted');
    expect(chosen.fault.detail.split('\n').map((line) => line.split(':')[0])).toEqual([
      'profiles.0.can.trigger',
      'profiles.1.name',
      'profiles.1.protocol.kind',
      'profiles.2.framing.kind',
      'readers.1.device',
    ]);
  });

  test('that ships fits in itself', () => {
    expect(chooseProfiles([], builtInProfiles).ok).toBe(true);
  });
});
