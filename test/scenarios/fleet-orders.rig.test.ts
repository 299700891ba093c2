import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TerminalDetail } from '#contracts/api/fleet.ts';
import type { CommandRow, Layer, LayerPreview, TerminalConfiguration } from '#contracts/api/orders.ts';
import type { TerminalCommand } from '#contracts/command.ts';
import type { LayerValues } from '#contracts/configuration.ts';
import { eventually } from '../rigs/eventually.ts';
import { requires } from '../rigs/requirements.ts';
import { startStack, type Stack } from '../rigs/stack.ts';

// A real terminal, broker and centre: what an operator orders through the API, and what becomes of it at the terminal.
const reason = requires({ test: 'orders from the centre to a terminal', tools: ['mosquitto', 'socat'] });
const probationSeconds = 10;

describe.skipIf(reason !== undefined)('Orders from the centre', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-orders-'));
  let stack: Stack;
  const at = (path: string): string => `${stack.consoleUrl}/api/v1${path}`;
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(at(path), {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const detail = () => ask<TerminalDetail>('GET', `/terminals/${stack.terminal}`);
  const order = async (command: TerminalCommand): Promise<CommandRow> => {
    const { id } = await ask<CommandRow>('POST', `/terminals/${stack.terminal}/commands`, { command });
    return eventually(
      async () => {
        const rows = await ask<CommandRow[]>('GET', `/commands?terminal=${stack.terminal}`);
        return rows.find((row) => row.id === id && ['done', 'failed', 'refused'].includes(row.state));
      },
      { what: `the end of ${command.kind}`, timeoutMs: 30_000, everyMs: 100 },
    );
  };
  const layerOf = async (): Promise<Layer | undefined> =>
    (await ask<Layer[]>('GET', '/layers')).find(({ scope }) => scope.layer === 'terminal');
  const put = async (values: LayerValues): Promise<Layer> => {
    const change = {
      scope: { layer: 'terminal', key: stack.terminal },
      base: (await layerOf())?.version ?? 0,
      values,
      note: 'a test',
    };
    return ask<Layer>('PUT', '/layers', change);
  };
  const configuration = () => ask<TerminalConfiguration>('GET', `/terminals/${stack.terminal}/configuration`);
  const settled = (state: string, seconds = 60): Promise<TerminalConfiguration> =>
    eventually(
      async () => {
        const now = await configuration();
        const { reported, wanted } = now;
        if (reported?.state !== state) return undefined;
        return state !== 'current' || reported.running === (wanted?.version ?? 0) ? now : undefined;
      },
      { what: `the configuration being ${state}`, timeoutMs: seconds * 1000, everyMs: 200 },
    );
  const online = () =>
    eventually(async () => (await detail()).row.state === 'online', {
      what: 'the terminal being online',
      timeoutMs: 60_000,
      everyMs: 200,
    });

  beforeAll(async () => {
    stack = await startStack({
      folder,
      agent: { configuration: { probationSeconds }, fleet: { spreadSeconds: 0 } },
    });
    await online();
  }, 60_000);
  afterAll(async () => {
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('A report that is asked for comes, and both audits know who asked', async () => {
    const before = (await detail()).healthAt;
    expect(await order({ kind: 'report-now' })).toMatchObject({ state: 'done', by: 'open' });
    await eventually(async () => (await detail()).healthAt !== before, { what: 'a newer report' });
    const audit = await ask<{ action: string; text: string }[]>('GET', '/audit');
    expect(audit.map(({ action }) => action)).toContain('command');
  });

  test('A diagnostic bundle arrives, holds status and log, and no secret', async () => {
    const { id } = await order({ kind: 'diagnostic-bundle' });
    const response = await fetch(at(`/bundles/${id}`));
    expect(response.status).toBe(200);
    const text = gunzipSync(Buffer.from(await response.arrayBuffer())).toString('utf8');
    expect(text).toContain(stack.terminal);
    expect(text).toContain('"level"');
    expect(text).not.toMatch(/PRIVATE KEY|"secret"/);
  });

  test('A drill is a hit in training: it stands at the centre marked as such, and never as a real one', async () => {
    expect(await order({ kind: 'training-drill' })).toMatchObject({ state: 'done' });
    const hits = await eventually(
      async () => {
        const rows = await ask<{ hit: { training: boolean } }[]>('GET', '/hits');
        return rows.length > 0 ? rows : undefined;
      },
      { what: 'the drill at the centre' },
    );
    expect(hits.every(({ hit }) => hit.training)).toBe(true);
  });

  test('The agent is started again, and the command that did it is done', async () => {
    const { session } = await detail();
    expect(await order({ kind: 'restart-agent' })).toMatchObject({ state: 'done' });
    await eventually(async () => (await detail()).session > session, {
      what: 'a newer session',
      timeoutMs: 30_000,
    });
    await online();
  });

  test('What this machine cannot do is refused with the reason', async () => {
    expect(await order({ kind: 'rotate-keys' })).toMatchObject({
      state: 'failed',
      code: 'COMMAND_UNSUPPORTED',
    });
    expect(await order({ kind: 'reboot' })).toMatchObject({ state: 'failed' });
  }, 120_000);

  test('A good configuration is shown first, taken, confirmed by the centre, and says who set what', async () => {
    const preview = await ask<LayerPreview>('POST', '/layers/preview', {
      scope: { layer: 'terminal', key: stack.terminal },
      base: 0,
      values: { policy: { repeatMillis: 2500 } },
      note: '',
    });
    expect(preview).toMatchObject({ terminals: 1, changes: [{ path: 'policy.repeatMillis', after: 2500 }] });
    await put({ policy: { repeatMillis: 2500 } });
    const { reported, wanted } = await settled('current');
    expect(reported?.running).toBe(wanted?.version);
    expect(reported?.settings).toContainEqual({
      path: 'policy.repeatMillis',
      source: 'terminal',
      value: 2500,
    });
    await online();
  }, 90_000);

  test('A wrong broker: the terminal goes back by itself, says why, and refuses that version from then on', async () => {
    const { reported: before } = await settled('current');
    await put({ policy: { repeatMillis: 2500 }, fleet: { url: 'mqtts://localhost:1' } });
    const { reported, wanted } = await settled('undone', 90);
    expect(reported?.running).toBe(before?.running);
    expect(reported?.refused).toMatchObject({ version: wanted?.version, code: 'CONFIGURATION_CUT_OFF' });
    // The retained message comes again with every session; it must not break the terminal again.
    await stack.agent.stop();
    await stack.agent.start();
    await online();
    expect((await settled('undone')).reported?.running).toBe(before?.running);
    await put({ policy: { repeatMillis: 2600 } });
    expect((await settled('current')).reported?.refused?.code).not.toBe('INTERNAL');
  }, 240_000);

  test('A reader that is not there: the terminal goes back to the one that works', async () => {
    const { reported: before } = await settled('current');
    await put({ readers: [{ id: 'counter-9', device: '/dev/nowhere', profile: 'swipe' }] } as LayerValues);
    const { reported } = await settled('undone', 90);
    expect(reported?.running).toBe(before?.running);
    expect(reported?.refused?.code).toBe('CONFIGURATION_READER_LOST');
    await eventually(async () => (await detail()).health.readers?.[0]?.state === 'ready', {
      what: 'the reader working again',
      timeoutMs: 30_000,
    });
  }, 180_000);
});
