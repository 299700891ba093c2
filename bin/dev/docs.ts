import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generatedDocs } from './generated-docs.ts';

const root = resolve(import.meta.dirname, '../..');
for (const [file, text] of Object.entries(generatedDocs())) writeFileSync(join(root, file), text);
