import { describe, expect, test } from 'vitest';
import { parseSettings } from '#runtime/settings.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import Type from 'typebox';
import { createRouting } from './routing.ts';

const group = Type.Object({ notifications: CentralSettings.properties.notifications });

function routing(given: object) {
  const parsed = parseSettings(group, { notifications: given }, '/etc/checkpost/central.json');
  return parsed.ok ? createRouting(parsed.value.notifications) : parsed;
}
const hook = (name: string, url = 'https://duty.example/hook') => ({
  name,
  kind: 'webhook',
  url,
  secretFile: '/etc/checkpost/pager.secret',
});

describe('Who is told', () => {
  test('Without a rule every channel is told of everything', () => {
    const made = routing({ channels: [hook('a'), hook('b')] });
    expect(made.ok && made.value.opened('warning', null)).toEqual(['a', 'b']);
  });

  test('A rule is for its severity and above, and for its bureau alone', () => {
    const made = routing({
      channels: [hook('all'), hook('uto'), hook('grave')],
      rules: [{ to: ['all'] }, { bureau: 'UTO', to: ['uto'] }, { severity: 'error', to: ['grave', 'all'] }],
    });
    expect(made.ok && made.value.opened('warning', 'UTO')).toEqual(['all', 'uto']);
    expect(made.ok && made.value.opened('error', 'ARC')).toEqual(['all', 'grave']);
    expect(made.ok && made.value.opened('error', null)).toEqual(['all', 'grave']);
  });

  test('Steps are taken in order of time, and a warning takes only those that say so', () => {
    const made = routing({
      channels: [hook('a')],
      escalation: [
        { afterMinutes: 60, to: ['a'], severity: 'warning' },
        { afterMinutes: 30, to: ['a'] },
      ],
    });
    expect(made.ok && made.value.steps('error').map(({ afterMinutes }) => afterMinutes)).toEqual([30, 60]);
    expect(made.ok && made.value.steps('warning')).toHaveLength(1);
  });

  test.each([
    ['http://duty.example/hook'],
    ['http://localhost:80@duty.example/'],
    ['http://localhost.duty.example/'],
    ['http://127.0.0.1.duty.example/'],
    ['https://user:password@duty.example/'],
    ['file:///etc/passwd'],
  ])('A webhook to %s is refused: it would go out in clear, or elsewhere', (url) => {
    expect(routing({ channels: [hook('a', url)] })).toMatchObject({ fault: { code: 'SETTINGS_INVALID' } });
  });

  test.each([['http://127.0.0.1:8080/hook'], ['http://localhost/'], ['https://duty.example:8443/a?b=c']])(
    'A webhook to %s is allowed',
    (url) => {
      expect(routing({ channels: [hook('a', url)] }).ok).toBe(true);
    },
  );

  test('Names that there are not, names twice, and mail in clear are refused, all at once', () => {
    const mail = {
      kind: 'email',
      host: 'mail.example',
      tls: 'none',
      from: 'a@b.example',
      to: ['c@d.example'],
      user: 'me',
    };
    const made = routing({
      channels: [hook('a'), hook('a'), { name: 'mail', ...mail }],
      rules: [{ to: ['b'] }],
      escalation: [{ afterMinutes: 5, to: ['c'] }],
    });
    const detail = made.ok ? '' : made.fault.detail;
    expect(detail.split('\n')).toHaveLength(5);
    expect(detail).toContain('notifications.rules.0.to: there is no channel b');
  });
});
