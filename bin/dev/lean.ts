import type { Plugin } from 'vite';

/** What makes a process that runs the bundle small. A terminal's processes stay for years where memory is scarce. */
export function lean(): Plugin[] {
  return [onlyUsedTypes(), pinoAsUsed(), asciiOnly()];
}

/**
 * Typebox's default export is one object with all that it can build, which a bundler must keep whole. Through the
 * namespace only what is called stays, which is 3 MiB less in every process.
 */
function onlyUsedTypes(): Plugin {
  return {
    name: 'checkpost:only-used-types',
    enforce: 'pre',
    transform: {
      filter: { id: /\.tsx?$/, code: /^import Type\b/m },
      handler: (code) =>
        code.replace(/^import Type(?:, (\{.*\}))? from 'typebox';$/m, (_, named: string | undefined) => {
          const types =
            named === undefined ? '' : ` import type ${named.replaceAll('type ', '')} from 'typebox';`;
          return `import * as Type from 'typebox/type';${types}`;
        }),
    },
  };
}

/** Modules that pino and its writer load and that we never need: what they are made of instead. */
const instead: Readonly<Record<string, string>> = {
  // It would write in a thread of its own (runtime/log.ts does not ask for it), and load Node's for that.
  transport: 'export default function transport() { throw new Error("pino writes by itself here"); }',
  worker_threads: 'export const isMainThread = true;',
  // One call; Node's own brings its printer of differences with it.
  assert: 'export default function assert(holds, text) { if (!holds) throw new TypeError(text); }',
};

/** 2 MiB less in every process. */
function pinoAsUsed(): Plugin {
  const prefix = '\0checkpost:';
  return {
    name: 'checkpost:pino-as-used',
    enforce: 'pre',
    resolveId(source, importer = '') {
      const name = source.replace(/^.*\//, '');
      const ours = /node_modules\/(pino|sonic-boom)\//.test(importer) && Object.hasOwn(instead, name);
      return ours ? `${prefix}${name}` : undefined;
    },
    load: (id) => (id.startsWith(prefix) ? instead[id.slice(prefix.length)] : undefined),
  };
}

/** V8 keeps the source of what runs, and each letter of a file takes two bytes as soon as one is outside Latin-1. */
function asciiOnly(): Plugin {
  return {
    name: 'checkpost:ascii-only',
    generateBundle(_, files) {
      for (const file of Object.values(files)) if (file.type === 'chunk') file.code = escaped(file.code);
    },
  };
}

function escaped(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
