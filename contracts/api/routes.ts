import Type, { type Static, type TSchema } from 'typebox';
import { Instant, SiteId, TerminalId, Uuid } from '../names.ts';
import {
  AccountName,
  AccountRow,
  ChangeAccount,
  MadeToken,
  NewAccount,
  NewToken,
  OperatorAuditRow,
  SessionState,
  SignIn,
  TokenRow,
} from './accounts.ts';
import { AcknowledgeAlert, Alert, Maintenance, NewMaintenance, SilenceAlert } from './alerts.ts';
import {
  BundleRow,
  CentreState,
  HitRow,
  metricNames,
  type MetricName,
  Series,
  SiteRow,
  TerminalDetail,
  TerminalRow,
  TimelineEvent,
} from './fleet.ts';
import {
  CommandRow,
  Layer,
  LayerPreview,
  NewCommand,
  NewWave,
  PutLayer,
  TerminalConfiguration,
  UploadEnvelope,
  Wave,
} from './orders.ts';
import type { ApiRoute, Method } from './route.ts';

/** The REST API of the centre as data: the server, docs/openapi.json and the page are made from it. */

const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'At most so many' }));
const Before = Type.Optional(Type.Integer({ minimum: 1, description: 'Only those with a smaller id' }));
const some = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

const byId = some({ id: Id });
const byUuid = some({ id: Uuid });
const ofTerminal = some({ id: TerminalId });
const ofAccount = some({ name: AccountName });

/** Everything that the first page needs. */
export const FleetView = some({
  sites: Type.Array(SiteRow),
  terminals: Type.Array(TerminalRow),
  /** Those that stand, open and suppressed. */
  alerts: Type.Array(Alert),
  /** Planned and under way. */
  maintenance: Type.Array(Maintenance),
  centre: CentreState,
});
export type FleetView = Static<typeof FleetView>;

export const SeriesQuery = some({
  metric: Type.Unsafe<MetricName>(Type.Enum([...metricNames])),
  from: Instant,
  to: Instant,
  points: Type.Optional(Type.Integer({ minimum: 2, maximum: 2000, description: 'About so many steps' })),
});
export const EventsQuery = some({
  terminal: Type.Optional(TerminalId),
  site: Type.Optional(SiteId),
  before: Before,
  limit: Limit,
});
export const HitsQuery = some({ terminal: Type.Optional(TerminalId), before: Before, limit: Limit });
export const AlertsQuery = some({
  state: Type.Optional(
    Type.Union([Type.Literal('open'), Type.Literal('standing'), Type.Literal('all')], {
      description: 'standing: open and suppressed; left out: all',
    }),
  ),
  terminal: Type.Optional(TerminalId),
  site: Type.Optional(SiteId),
  before: Before,
  limit: Limit,
});
export const CommandsQuery = some({
  terminal: Type.Optional(TerminalId),
  before: Type.Optional(Uuid),
  limit: Limit,
});
export const BundlesQuery = some({ terminal: Type.Optional(TerminalId) });
export const PageQuery = some({ before: Before, limit: Limit });
const OpenIdAnswer = Type.Object({
  code: Type.Optional(Type.String({ maxLength: 4096 })),
  state: Type.Optional(Type.String({ maxLength: 256 })),
});

const anybody = { role: 'anybody' } as const;
const viewer = { role: 'viewer' } as const;
const operator = { role: 'operator' } as const;
const administrator = { role: 'administrator' } as const;
const read = { changes: false, status: 200 } as const;
const change = { changes: true, status: 200 } as const;
const make = { changes: true, status: 201 } as const;
const end = { changes: true, status: 204, answer: Type.Null() } as const;
const session = { ...anybody, tag: 'session' } as const;

export const routes = {
  'GET /api/v1/session': { ...session, ...read, summary: 'Who is asking', answer: SessionState },
  'POST /api/v1/session': {
    ...session,
    ...change,
    summary: 'Sign in; the answer sets the cookie',
    body: SignIn,
    answer: SessionState,
  },
  'DELETE /api/v1/session': { ...session, ...end, summary: 'Sign out' },
  'GET /api/v1/session/openid': {
    ...session,
    changes: false,
    status: 302,
    summary: 'Sign in with OpenID Connect: sends the browser to the provider',
    answer: 'text/plain',
  },
  'GET /api/v1/session/openid/callback': {
    ...session,
    changes: false,
    status: 302,
    summary: 'Where the provider sends the browser back to',
    query: OpenIdAnswer,
    answer: 'text/plain',
  },

  'GET /api/v1/tokens': {
    ...viewer,
    ...read,
    tag: 'accounts',
    summary: 'Own tokens; an administrator sees those of all accounts within reach',
    answer: Type.Array(TokenRow),
  },
  'POST /api/v1/tokens': {
    ...viewer,
    ...make,
    tag: 'accounts',
    summary: 'Make a token for a program',
    body: NewToken,
    answer: MadeToken,
  },
  'DELETE /api/v1/tokens/{id}': {
    ...viewer,
    ...end,
    tag: 'accounts',
    summary: 'Revoke a token',
    params: byId,
  },
  'GET /api/v1/accounts': {
    ...administrator,
    ...read,
    tag: 'accounts',
    summary: 'Accounts within reach',
    answer: Type.Array(AccountRow),
  },
  'POST /api/v1/accounts': {
    ...administrator,
    ...make,
    tag: 'accounts',
    summary: 'Make a local account',
    body: NewAccount,
    answer: AccountRow,
  },
  'PATCH /api/v1/accounts/{name}': {
    ...administrator,
    ...change,
    tag: 'accounts',
    summary: 'Change role, bureau, password, or disable; ends its sessions',
    params: ofAccount,
    body: ChangeAccount,
    answer: AccountRow,
  },
  'DELETE /api/v1/accounts/{name}': {
    ...administrator,
    ...end,
    tag: 'accounts',
    summary: 'Remove an account with its sessions and tokens',
    params: ofAccount,
  },
  'GET /api/v1/audit': {
    ...administrator,
    ...read,
    tag: 'accounts',
    summary: 'Who changed what, newest first',
    query: PageQuery,
    answer: Type.Array(OperatorAuditRow),
  },

  'GET /api/v1/fleet': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'Sites, terminals, standing alerts, maintenance, the centre',
    answer: FleetView,
  },
  'GET /api/v1/live': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'Server-sent events: each row that changed, whole',
    answer: 'text/event-stream',
  },
  'GET /api/v1/terminals/{id}': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'Everything known of a terminal',
    params: ofTerminal,
    answer: TerminalDetail,
  },
  'GET /api/v1/terminals/{id}/series': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'One metric over time',
    params: ofTerminal,
    query: SeriesQuery,
    answer: Series,
  },
  'GET /api/v1/events': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'What happened, newest first',
    query: EventsQuery,
    answer: Type.Array(TimelineEvent),
  },
  'GET /api/v1/hits': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'Hits, newest first',
    query: HitsQuery,
    answer: Type.Array(HitRow),
  },
  'GET /api/v1/centre': {
    ...viewer,
    ...read,
    tag: 'fleet',
    summary: 'The centre itself',
    answer: CentreState,
  },
  'GET /api/v1/bundles': {
    ...operator,
    ...read,
    tag: 'fleet',
    summary: 'Diagnostic bundles, newest first',
    query: BundlesQuery,
    answer: Type.Array(BundleRow),
  },
  'GET /api/v1/bundles/{id}': {
    ...operator,
    ...read,
    tag: 'fleet',
    summary: 'The file of a diagnostic bundle',
    params: byUuid,
    answer: 'application/octet-stream',
  },

  'GET /api/v1/alerts': {
    ...viewer,
    ...read,
    tag: 'alerts',
    summary: 'Alerts, newest first',
    query: AlertsQuery,
    answer: Type.Array(Alert),
  },
  'POST /api/v1/alerts/{id}/acknowledge': {
    ...operator,
    ...change,
    tag: 'alerts',
    summary: 'Say that somebody acts upon it: ends its escalation',
    params: byId,
    body: AcknowledgeAlert,
    answer: Alert,
  },
  'POST /api/v1/alerts/{id}/silence': {
    ...operator,
    ...change,
    tag: 'alerts',
    summary: 'Tell nobody of it for a while',
    params: byId,
    body: SilenceAlert,
    answer: Alert,
  },
  'GET /api/v1/maintenance': {
    ...viewer,
    ...read,
    tag: 'alerts',
    summary: 'Maintenance: planned, under way, and past of the last 30 days',
    answer: Type.Array(Maintenance),
  },
  'POST /api/v1/maintenance': {
    ...operator,
    ...make,
    tag: 'alerts',
    summary: 'Plan a maintenance',
    body: NewMaintenance,
    answer: Maintenance,
  },
  'DELETE /api/v1/maintenance/{id}': {
    ...operator,
    ...end,
    tag: 'alerts',
    summary: 'End a maintenance now',
    params: byId,
  },

  'GET /api/v1/layers': {
    ...viewer,
    ...read,
    tag: 'configuration',
    summary: 'Every layer that was ever set',
    answer: Type.Array(Layer),
  },
  'GET /api/v1/layers/schema': {
    ...viewer,
    ...read,
    tag: 'configuration',
    summary: 'JSON Schema of what a layer may set',
    answer: Type.Unknown(),
  },
  'POST /api/v1/layers/preview': {
    ...administrator,
    ...read,
    tag: 'configuration',
    summary: 'What a change would do; changes nothing',
    body: PutLayer,
    answer: LayerPreview,
  },
  'PUT /api/v1/layers': {
    ...administrator,
    ...change,
    tag: 'configuration',
    summary: 'Change a layer and send it to every terminal that it concerns',
    body: PutLayer,
    answer: Layer,
  },
  'PUT /api/v1/limits': {
    ...administrator,
    ...end,
    tag: 'configuration',
    summary: 'Age limits, signed by the offline key',
    body: UploadEnvelope,
  },
  'PUT /api/v1/uplinks': {
    ...administrator,
    ...end,
    tag: 'configuration',
    summary: 'Uplinks and hubs of a terminal, signed by the offline key',
    body: UploadEnvelope,
  },
  'GET /api/v1/terminals/{id}/configuration': {
    ...viewer,
    ...read,
    tag: 'configuration',
    summary: 'What a terminal should run, and what it runs and why',
    params: ofTerminal,
    answer: TerminalConfiguration,
  },

  'POST /api/v1/terminals/{id}/commands': {
    ...operator,
    ...make,
    tag: 'commands',
    summary: 'Send a command',
    params: ofTerminal,
    body: NewCommand,
    answer: CommandRow,
  },
  'GET /api/v1/commands': {
    ...viewer,
    ...read,
    tag: 'commands',
    summary: 'Commands, newest first',
    query: CommandsQuery,
    answer: Type.Array(CommandRow),
  },
  'GET /api/v1/waves': {
    ...viewer,
    ...read,
    tag: 'commands',
    summary: 'Bulk actions, newest first',
    answer: Type.Array(Wave),
  },
  'POST /api/v1/waves': {
    ...administrator,
    ...make,
    tag: 'commands',
    summary: 'Begin a bulk action in waves',
    body: NewWave,
    answer: Wave,
  },
  'GET /api/v1/waves/{id}': {
    ...viewer,
    ...read,
    tag: 'commands',
    summary: 'A bulk action',
    params: byUuid,
    answer: Wave,
  },
  'POST /api/v1/waves/{id}/stop': {
    ...administrator,
    ...change,
    tag: 'commands',
    summary: 'Begin no further wave',
    params: byUuid,
    answer: Wave,
  },

  'GET /api/v1/openapi.json': {
    ...anybody,
    ...read,
    tag: 'fleet',
    summary: 'This description (OpenAPI 3.1)',
    answer: Type.Unknown(),
  },
} as const satisfies Record<`${Method} /api/v1/${string}`, ApiRoute>;

/** Live events (`GET /api/v1/live`): a row that replaces the one before with the same id. */
export const liveEvents = {
  terminal: TerminalRow,
  site: SiteRow,
  hit: HitRow,
  alert: Alert,
  maintenance: Maintenance,
  command: CommandRow,
  wave: Wave,
  event: TimelineEvent,
  centre: CentreState,
} as const;
export type LiveKind = keyof typeof liveEvents;
export type LiveEvent = {
  [K in LiveKind]: { readonly event: K; readonly data: Static<(typeof liveEvents)[K]> };
}[LiveKind];
