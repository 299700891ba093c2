import { commands } from './commands.ts';
import { type CommandContext, execute, report } from './command.ts';
import { version } from './version.ts';

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const list = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `checkpost: knows stolen travel documents at remote border posts

Usage: checkpost COMMAND [options]

${list.join('\n')}

Each command explains itself with --help, and prints JSON with --json where a machine may read it.
Exit codes: 0 done, 1 could not be done, 2 called wrongly.
`;
}

async function main(argv: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  // A second Ctrl-C ends it at once. SIGTERM comes twice where a group is told to end, which a parent passes on too.
  process.once('SIGINT', () => stopping.abort('SIGINT'));
  process.on('SIGTERM', () => stopping.abort('SIGTERM'));
  const context: CommandContext = {
    // Made only for a command that asks for them: what Node loads for the standard input alone costs 1 MiB.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    env: process.env,
    signal: stopping.signal,
  };
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    return report({ code: 'USAGE', detail: `There is no command ${name}; see checkpost --help.` }, context);
  }
  return execute((await entry.load()).command, rest, context);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exitCode = 1;
  },
);
