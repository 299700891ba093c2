import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Registry } from '#contracts/registry.ts';
import { parseJson } from '#runtime/parse.ts';
import { addSite } from '#provisioning/index.ts';
import { type Bureau, bureauSite, makeBureau, valueOf } from '#test/rigs/bureau.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
});
afterEach(() => bureau.close());

test('the registry has every site with its place, whether or not a terminal was enrolled there', async () => {
  const pass = {
    ...bureauSite,
    id: 'UTO-0099',
    name: 'A pass',
    timeZone: 'Asia/Dushanbe',
    latitude: 39.5,
    longitude: 71.2,
  };
  valueOf(await addSite({ ...bureau.authority, site: pass }, bureau.parts));
  const text = readFileSync(bureau.at('authority', 'registry.json'), 'utf8');
  const { sites } = valueOf(parseJson(Registry, text, 'REGISTRY_INVALID'));
  expect(sites).toContainEqual({
    site: 'UTO-0099',
    bureau: 'UTO',
    name: 'A pass',
    timeZone: 'Asia/Dushanbe',
    latitude: 39.5,
    longitude: 71.2,
  });
  expect(sites?.map(({ site }) => site)).toContain(bureauSite.id);
});
