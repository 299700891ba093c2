import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { DnsServer } from '#test/rigs/dns-server.ts';
import { askName } from './ask.ts';

let dns: DnsServer;
beforeEach(async () => {
  dns = new DnsServer({ 'hub.example': ['192.0.2.7', '192.0.2.8'], 'empty.example': [] });
  await dns.start();
});
afterEach(() => dns.stop());

const ask = (name = 'hub.example', localAddresses: readonly string[] = ['127.0.0.1']) =>
  askName({ name, servers: [dns.server], localAddresses, timeout: ms(300) });

describe('A question for a name', () => {
  test('The addresses come in the order of the server', async () => {
    expect(await ask()).toEqual({ result: 'answered', addresses: ['192.0.2.7', '192.0.2.8'] });
  });

  test('It leaves from the address of the uplink that it is asked over', async () => {
    await ask('hub.example', ['127.0.0.9']);
    expect(dns.asked).toEqual([{ name: 'hub.example', type: 1, from: '127.0.0.9' }]);
  });

  test('An uplink with both families asks for both', async () => {
    expect(await ask('hub.example', ['127.0.0.1', '::1'])).toMatchObject({ result: 'answered' });
    expect(dns.asked.map(({ type }) => type).sort((a, b) => a - b)).toEqual([1, 28]);
  });

  test('A server of a family that the uplink has not is not asked', async () => {
    expect(await ask('hub.example', ['::1'])).toEqual({ result: 'silent' });
    expect(dns.asked).toEqual([]);
  });

  test.each(['nowhere.example', 'empty.example'])('%s is answered: there is no address', async (name) => {
    expect(await ask(name)).toEqual({ result: 'answered', addresses: [] });
  });

  test('A server that is silent is waited for once and no longer', async () => {
    dns.mood = 'silent';
    expect(await ask()).toEqual({ result: 'silent' });
    expect(dns.asked).toHaveLength(1);
  });

  test('A port at which nobody listens is silence as well', async () => {
    const answer = await askName({
      name: 'hub.example',
      servers: ['127.0.0.1:9'],
      localAddresses: ['127.0.0.1'],
      timeout: ms(300),
    });
    expect(answer).toEqual({ result: 'silent' });
  });

  test('SERVFAIL is a failure with its code', async () => {
    dns.mood = 'servfail';
    expect(await ask()).toEqual({ result: 'failed', code: 'ESERVFAIL' });
  });

  test('Nonsense is no answer, and nothing is thrown', async () => {
    dns.mood = 'nonsense';
    expect((await ask()).result).toMatch(/^(failed|silent)$/);
  });

  test('An address that this machine has not, or a server that is no address, is a failure and nothing is thrown', async () => {
    expect((await ask('hub.example', ['203.0.113.77'])).result).toMatch(/^(failed|silent)$/);
    const answer = await askName({
      name: 'hub.example',
      servers: ['dns.example'],
      localAddresses: ['127.0.0.1'],
    });
    expect(answer.result).toMatch(/^(failed|silent)$/);
  });
});
