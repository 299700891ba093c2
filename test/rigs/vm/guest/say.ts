/** One line to the world outside: what came of a check, or what it is asked to do with a cable (`please`). */
export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
