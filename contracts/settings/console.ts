import Type, { type Static } from 'typebox';
import { listener } from './listener.ts';
import { choice, group, integer, path, text } from './setting.ts';

const claim = (description: string, fallback: string) =>
  text({ maxLength: 128 }, { description, default: fallback });

/** Where operators come in, and how it is known who they are. */
export const operatorsPage = group(
  {
    ...listener('the operators’ page', 8600),
    tls: Type.Optional(
      group(
        {
          certificate: path({ description: 'Certificate of the operators’ page, PEM' }),
          key: path({ description: 'Its private key, PEM' }),
        },
        { description: 'HTTPS; without this group it is HTTP, for this machine or a proxy in front' },
      ),
    ),
    publicUrl: Type.Optional(
      text(
        { pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$', maxLength: 255 },
        {
          description:
            'Address that browsers reach the page by, where it is another one, for example behind a proxy',
          words: 'http or https, a name or an address, without a path',
        },
      ),
    ),
    access: choice(['accounts', 'open'], {
      description:
        'accounts: people sign in; open: everybody is administrator, only on an address of this machine itself',
      default: 'accounts',
    }),
    idleMinutes: integer(
      { minimum: 5, maximum: 10_080 },
      { description: 'A session without an open page ends after so long', unit: 'min', default: 720 },
    ),
    sessionHours: integer(
      { minimum: 1, maximum: 720 },
      { description: 'Every session ends after so long', unit: 'h', default: 168 },
    ),
    openIdConnect: Type.Optional(
      group(
        {
          issuer: text(
            { pattern: '^https?://', maxLength: 1024 },
            { description: 'Address of the provider; http only on this machine itself' },
          ),
          clientId: text({ maxLength: 255 }, { description: 'Name of this centre at the provider' }),
          clientSecretFile: Type.Optional(
            path({
              description: 'File that holds the secret of the client; without it the client is public',
            }),
          ),
          title: claim('What the button says', 'Single sign-on'),
          scope: claim('What is asked of the provider', 'openid profile email'),
          nameClaim: claim('Claim with the name of the account', 'preferred_username'),
          roleClaim: claim(
            'Claim with the role: viewer, operator or administrator, or a list, of which the highest counts',
            'checkpost_role',
          ),
          bureauClaim: claim(
            'Claim with the code of the bureau, or * for all; without it nobody comes in',
            'checkpost_bureau',
          ),
          tokenDays: integer(
            { minimum: 1, maximum: 3650 },
            {
              description:
                'A token that somebody made is in force until so long after they signed in last: that they are gone only the provider knows',
              unit: 'days',
              default: 90,
            },
          ),
        },
        {
          description: 'Sign in with OpenID Connect; needs `publicUrl` where the page is not on this machine',
        },
      ),
    ),
  },
  { description: 'Operators’ page, API and metrics', default: {} },
);
export type ConsoleSettings = Static<typeof operatorsPage>;
