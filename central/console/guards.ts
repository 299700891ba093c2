import Type, { type Static } from 'typebox';
import type { AnswerOf, BodyOf, ParamsOf, QueryOf, RouteName } from '#contracts/api/calls.ts';
import type { routes } from '#contracts/api/routes.ts';
import { LayerScope, SignedEnvelope } from '#contracts/configuration.ts';
import { TerminalId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';
import type { Access, Caller } from '../access/index.ts';
import type { Reach } from './reach.ts';
import type { ConsoleSource } from './source.ts';

/** A request as it stands after it was parsed, and before it is done. */
export interface Asked<K extends RouteName> {
  /** Undefined where nobody need be signed in and nobody is. */
  readonly caller: (typeof routes)[K]['role'] extends 'anybody' ? Caller | undefined : Caller;
  readonly reach: Reach;
  readonly params: ParamsOf<K>;
  readonly query: QueryOf<K>;
  readonly body: BodyOf<K>;
}

export interface GuardParts {
  readonly source: ConsoleSource;
  readonly accounts: Pick<Access['accounts'], 'get'>;
}

/**
 * What holds a route to the bureau of whoever asks: `before` refuses, `rows` leaves out. Every route has its entry, so
 * that a new one is not forgotten; nothing else in this room decides it.
 */
export interface Guard<K extends RouteName> {
  before?(asked: Asked<K>, parts: GuardParts): Result<void> | Promise<Result<void>>;
  rows?(answer: AnswerOf<K>, asked: Asked<K>, parts: GuardParts): AnswerOf<K>;
}

/** What is out of reach is not there: its name proves nothing. */
const hidden = fail('NOT_FOUND', 'There is nothing of that name within reach.');
const refused = fail('ACCESS_REFUSED', 'It is not of the bureau of this account alone.');
const fine = ok(undefined);

const seen = (it: boolean): Result<void> => (it ? fine : hidden);
const allowed = (it: boolean): Result<void> => (it ? fine : refused);

/** Everything that this route answers is for whoever has its role. */
const none = {};

const ofTerminal = {
  before: ({ params, reach }: { params: { id: string }; reach: Reach }) => seen(reach.terminal(params.id)),
};

const ofAccount = async (
  { params, reach }: { params: { name: string }; reach: Reach },
  { accounts }: GuardParts,
): Promise<Result<void>> => {
  const row = await accounts.get(params.name);
  return row.ok ? seen(row.value !== undefined && reach.owns(row.value.bureau)) : row;
};

const alertChange = async (
  { params, reach }: { params: { id: number }; reach: Reach },
  { source }: GuardParts,
): Promise<Result<void>> => {
  const alert = await source.alerts.byId(params.id);
  if (!alert.ok) return alert;
  return reach.seesAlert(alert.value) ? allowed(reach.changesAlert(alert.value)) : hidden;
};

const waveById = async (
  { params, reach }: { params: { id: string }; reach: Reach },
  { source }: GuardParts,
): Promise<Result<void>> => {
  const found = await source.orders.wave(params.id);
  return found.ok ? seen(reach.owns(found.value.bureau)) : found;
};

const listed = ({
  query,
  reach,
}: {
  query: { terminal?: string; site?: string };
  reach: Reach;
}): Result<void> =>
  seen(
    (query.terminal === undefined || reach.terminal(query.terminal)) &&
      (query.site === undefined || reach.site(query.site)),
  );

export const guards: { readonly [K in RouteName]: Guard<K> } = {
  'GET /api/v1/session': none,
  'POST /api/v1/session': none,
  'DELETE /api/v1/session': none,
  'GET /api/v1/session/openid': none,
  'GET /api/v1/session/openid/callback': none,
  'GET /api/v1/openapi.json': none,
  'GET /api/v1/layers/schema': none,
  // Tokens know their accounts themselves.
  'GET /api/v1/tokens': none,
  'POST /api/v1/tokens': none,
  'DELETE /api/v1/tokens/{id}': none,

  'GET /api/v1/accounts': { rows: (rows, { reach }) => rows.filter((one) => reach.owns(one.bureau)) },
  'POST /api/v1/accounts': { before: ({ body, reach }) => allowed(reach.owns(body.bureau)) },
  'PATCH /api/v1/accounts/{name}': {
    async before(asked, parts) {
      const found = await ofAccount(asked, parts);
      const { bureau } = asked.body;
      return found.ok ? allowed(bureau === undefined || asked.reach.owns(bureau)) : found;
    },
  },
  'DELETE /api/v1/accounts/{name}': { before: ofAccount },
  'GET /api/v1/audit': { rows: (rows, { reach }) => rows.filter((one) => reach.owns(one.bureau)) },

  'GET /api/v1/fleet': {
    rows: (fleet, { reach }, { source }) =>
      reach.bureau === null
        ? fleet
        : {
            sites: fleet.sites.filter((one) => reach.owns(one.bureau)),
            terminals: fleet.terminals.filter((one) => reach.owns(one.bureau)),
            alerts: fleet.alerts.filter((one) => reach.seesAlert(one)),
            maintenance: fleet.maintenance.filter((one) => reach.seesMaintenance(one)),
            centre: reach.centre(fleet.centre, () => source.fleet.terminals()),
          },
  },
  // Filtered event by event (live.ts).
  'GET /api/v1/live': none,
  'GET /api/v1/terminals/{id}': ofTerminal,
  'GET /api/v1/terminals/{id}/series': ofTerminal,
  'GET /api/v1/events': {
    before: listed,
    // Those without a place were chosen by the source, by their bureau.
    rows: (rows, { reach }) => rows.filter((one) => reach.place(one) !== false),
  },
  'GET /api/v1/hits': {
    before: listed,
    rows: (rows, { reach }) => rows.filter((one) => reach.owns(one.bureau)),
  },
  'GET /api/v1/centre': {
    rows: (state, { reach }, { source }) => reach.centre(state, () => source.fleet.terminals()),
  },
  'GET /api/v1/bundles': {
    before: listed,
    rows: (rows, { reach }) => rows.filter((one) => reach.terminal(one.terminal)),
  },
  'GET /api/v1/bundles/{id}': {
    async before({ params, reach }, { source }) {
      const rows = await source.bundles.list();
      // A terminal gives its bundles their ids itself: one of another bureau may have taken the same.
      const found = rows.filter((one) => one.id === params.id);
      return seen(found.length > 0 && found.every((one) => reach.terminal(one.terminal)));
    },
  },

  'GET /api/v1/alerts': {
    before: listed,
    rows: (rows, { reach }) => rows.filter((one) => reach.seesAlert(one)),
  },
  'POST /api/v1/alerts/{id}/acknowledge': { before: alertChange },
  'POST /api/v1/alerts/{id}/silence': { before: alertChange },
  'GET /api/v1/maintenance': {
    rows: (rows, { reach }) => rows.filter((one) => reach.seesMaintenance(one)),
  },
  'POST /api/v1/maintenance': { before: ({ body, reach }) => allowed(reach.holds(body.scope)) },
  'DELETE /api/v1/maintenance/{id}': {
    async before({ params, reach }, { source }) {
      const found = await source.alerts.maintenanceById(params.id);
      if (!found.ok) return found;
      return reach.seesMaintenance(found.value) ? allowed(reach.holds(found.value.scope)) : hidden;
    },
  },

  'GET /api/v1/layers': { rows: (rows, { reach }) => rows.filter((one) => reach.touches(one.scope)) },
  'POST /api/v1/layers/preview': {
    before: ({ body, reach }) => allowed(reach.holds(body.scope)),
    rows: (preview, { reach }) => reach.preview(preview),
  },
  'PUT /api/v1/layers': { before: ({ body, reach }) => allowed(reach.holds(body.scope)) },
  'PUT /api/v1/limits': {
    before: ({ body, reach }) => ofEnvelope(body.envelope, reach, (said) => said.scope),
  },
  'PUT /api/v1/uplinks': {
    before: ({ body, reach }) =>
      ofEnvelope(body.envelope, reach, ({ terminal }) =>
        terminal === undefined ? undefined : { layer: 'terminal', key: terminal },
      ),
  },
  'GET /api/v1/terminals/{id}/configuration': ofTerminal,

  'POST /api/v1/terminals/{id}/commands': ofTerminal,
  'GET /api/v1/commands': {
    before: listed,
    rows: (rows, { reach }) => rows.filter((one) => reach.terminal(one.terminal)),
  },
  // Chosen by the source, by their bureau: a wave itself does not say whose it is.
  'GET /api/v1/waves': none,
  'POST /api/v1/waves': {
    before: ({ body, reach }) => allowed(body.terminals.every((one) => reach.terminal(one))),
  },
  'GET /api/v1/waves/{id}': { before: waveById },
  'POST /api/v1/waves/{id}/stop': { before: waveById },
};

/** As much of a signed payload as says whom it is for; whoever carries it out verifies the signature. */
const Said = Type.Object({ scope: Type.Optional(LayerScope), terminal: Type.Optional(TerminalId) });

function ofEnvelope(
  given: unknown,
  reach: Reach,
  scopeOf: (said: Static<typeof Said>) => LayerScope | undefined,
): Result<void> {
  const envelope = parseValue(SignedEnvelope, given, 'REQUEST_INVALID');
  if (!envelope.ok) return envelope;
  const text = Buffer.from(envelope.value.payload, 'base64').toString('utf8');
  const said = parseJson(Said, text, 'REQUEST_INVALID');
  if (!said.ok) return said;
  const scope = scopeOf(said.value);
  if (scope === undefined) return fail('REQUEST_INVALID', 'The envelope does not say whom it is for.');
  return allowed(reach.holds(scope));
}
