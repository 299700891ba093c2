import { expect, test } from 'vitest';
import { RegisteredSite } from '#contracts/registry.ts';
import { parseValue } from '#runtime/parse.ts';
import { seeded } from '../random.ts';
import { makeUpFleet } from './places.ts';

const made = (seed: number, sites: number, terminals: number) =>
  makeUpFleet({ sites, terminals, random: seeded(seed) });

test('The same seed makes up the same fleet, and another seed another one', () => {
  expect(made(1, 50, 60)).toEqual(made(1, 50, 60));
  expect(made(1, 50, 60)).not.toEqual(made(2, 50, 60));
});

test('Fifty made-up sites belong to five bureaus, and every site and terminal has a name of its own', () => {
  const { sites, terminals } = made(1, 50, 60);
  expect(new Set(sites.map(({ bureau }) => bureau)).size).toBe(5);
  expect(new Set(sites.map(({ site }) => site)).size).toBe(50);
  expect(new Set(terminals.map(({ terminal }) => terminal)).size).toBe(60);
  for (const site of sites) expect(parseValue(RegisteredSite, site, 'REGISTRY_INVALID').ok).toBe(true);
});

test('Every site of a large made-up fleet has a terminal, and no site has the number of a real one', () => {
  const { sites, terminals } = made(1, 5000, 10_000);
  expect(new Set(terminals.map(({ site }) => site)).size).toBe(5000);
  expect(sites.every(({ site }) => Number(site.slice(4)) > 100)).toBe(true);
});
