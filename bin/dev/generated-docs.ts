import type { TSchema } from 'typebox';
import { asyncApi } from '#contracts/asyncapi.ts';
import { type ConditionNote, conditions } from '#contracts/conditions.ts';
import { errors } from '#contracts/errors.ts';
import { openApi } from '#contracts/openapi.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { HubSettings } from '#contracts/settings/hub.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { allowed, type SchemaNode } from '#runtime/settings.ts';
import { bootFile } from '#uplink/index.ts';

/** The pages of docs/ that are made from the schemas and tables of the code; a test keeps them equal. */
export function generatedDocs(): Readonly<Record<string, string>> {
  return {
    'docs/asyncapi.json': `${JSON.stringify(asyncApi(), null, 2)}\n`,
    'docs/conditions.md': conditionsPage(),
    'docs/errors.md': errorsPage(),
    'docs/openapi.json': `${JSON.stringify(openApi(), null, 2)}\n`,
    'docs/settings.md': settingsPage(),
    'firmware-config/nftables/checkpost.nft': bootFile(),
  };
}

function errorsPage(): string {
  const rows = Object.entries(errors).map(
    ([code, { what, meaning, remedy }]) => `| \`${code}\` | ${what} | ${meaning} | ${remedy} |`,
  );
  return `# Errors

Made from \`contracts/errors.ts\` by \`npm run docs\`. A code keeps its meaning for good.

| code | what happened | what it means | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function conditionsPage(): string {
  const notes: readonly (readonly [string, ConditionNote])[] = Object.entries(conditions);
  const rows = notes.map(([code, { severity, title, text, remedy, dependsOn, delaySeconds }]) => {
    const explained = dependsOn.map((cause) => `\`${cause}\``).join(', ');
    return `| \`${code}\` | ${severity} | ${title} | ${text} | ${remedy} | ${explained} | ${delaySeconds} |`;
  });
  return `# Conditions

Made from \`contracts/conditions.ts\` by \`npm run docs\`. A condition stands for as long as it is so; none means that all is
well. While one that explains it stands, a condition is not shown and nobody is told, so that one cause lights one lamp.
It must stand for its delay without a break before it is shown.

| code | severity | what is wrong | what it means | what to do | explained by | delay, s |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function settingsPage(): string {
  const page = (title: string, command: string, schema: TSchema): string => `## ${title}

\`${command} --config FILE --check-config\` checks a file; all wrong settings are listed at once.

| setting | allowed | default | what it does |
| --- | --- | --- | --- |
${rows(schema, '').join('\n')}
`;
  return `# Settings

Made from \`contracts/settings/\` by \`npm run docs\`. Each process has one JSON file. A relative path is meant from the
folder of that file; an unknown name is refused. A setting without a default must be given.

${page('Terminal: the agent', 'checkpost agent', AgentSettings)}
${page('Terminal: the uplink', 'checkpost uplink', UplinkSettings)}
${page('Centre', 'checkpost central', CentralSettings)}
${page('Centre: a hub', 'checkpost hub', HubSettings)}`;
}

function rows(node: SchemaNode, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    if (inner.properties !== undefined) return rows(inner, `${path}.`);
    const own = `| \`${path}\` | ${allowed(inner).replaceAll('|', '\\|')} | ${fallback(inner)} | ${inner.description ?? ''} |`;
    const kinds = (inner.anyOf ?? []).flatMap((kind) => {
      const name = kind.properties?.['kind']?.const;
      return typeof name === 'string' ? rows(kind, `${path} (${name}).`) : [];
    });
    const items = inner.items?.properties === undefined ? [] : rows(inner.items, `${path}[].`);
    const kindsOfItem = (inner.items?.anyOf ?? []).flatMap((kind) => {
      const name = kind.properties?.['kind']?.const;
      return typeof name === 'string' ? rows(kind, `${path}[] (${name}).`) : [];
    });
    return [own, ...[...kinds, ...kindsOfItem].filter((row) => !row.includes(').kind`')), ...items];
  });
}

function fallback(node: SchemaNode): string {
  return node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
}
