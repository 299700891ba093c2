import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** How a tool behaves: as it should, or not there, without rights, without end, or printing what nobody asked for. */
export const moods = ['missing', 'refused', 'hang', 'nonsense'] as const;
export type Mood = (typeof moods)[number];
export const faultyTools = ['wg', 'ip', 'nft'] as const;
export type FaultyTool = (typeof faultyTools)[number];

/**
 * Tools of the system that misbehave on demand, for one process and all that it starts. That process finds its programs
 * only in a folder of these; the folders of root's programs, which are looked through in any case, are empty for it.
 */
export class FaultyTools {
  readonly #folder = mkdtempSync(join(tmpdir(), 'checkpost-tools-'));
  readonly #path = join(this.#folder, 'bin');

  constructor() {
    for (const name of ['bin', 'nothing', 'sbin']) mkdirSync(join(this.#folder, name));
    for (const tool of faultyTools) {
      writeFileSync(this.#wrapper(tool), this.#script(tool));
      chmodSync(this.#wrapper(tool), 0o755);
    }
    symlinkSync(find('wireguard-go'), join(this.#path, 'wireguard-go'));
    this.restore();
  }

  /**
   * Put before a command that runs inside a namespace. `ip netns exec` gives it a view of the file system of its own,
   * so that nobody else sees what is laid over /usr/sbin there.
   */
  get around(): readonly string[] {
    const [sbin, nothing] = [join(this.#folder, 'sbin'), join(this.#folder, 'nothing')];
    const script = `mount --bind /usr/sbin "${sbin}" && mount --bind "${nothing}" /usr/sbin && PATH="${this.#path}" exec "$@"`;
    return ['sh', '-c', script, 'sh'];
  }

  set(tool: FaultyTool, mood: Mood): void {
    if (mood === 'missing') rmSync(join(this.#path, tool), { force: true });
    else writeFileSync(this.#mood(tool), mood);
  }

  /** All are as they should be. */
  restore(): void {
    for (const tool of faultyTools) {
      writeFileSync(this.#mood(tool), 'ok');
      if (!existsSync(join(this.#path, tool))) linkSync(this.#wrapper(tool), join(this.#path, tool));
    }
  }

  /**
   * Every call so far while the tool misbehaved: when, in milliseconds since 1970, and with which arguments. One that is
   * missing counts nothing.
   */
  calls(tool: FaultyTool): { at: number; args: string }[] {
    const file = this.#calls(tool);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [seconds = '', ...args] = line.split(' ');
      return { at: Number(seconds) * 1000, args: args.join(' ') };
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #wrapper(tool: string): string {
    return join(this.#folder, `${tool}.sh`);
  }

  #mood(tool: string): string {
    return join(this.#folder, `${tool}.mood`);
  }

  #calls(tool: string): string {
    return join(this.#folder, `${tool}.calls`);
  }

  #script(tool: string): string {
    const real = find(tool);
    // What lies in /usr/sbin is seen at another place by whoever runs this.
    const seen = real.replace(/^(\/usr)?\/sbin\//, `${join(this.#folder, 'sbin')}/`);
    return `#!/bin/sh
read -r mood <"${this.#mood(tool)}"
[ "$mood" = ok ] && exec "${seen}" "$@"
echo "$(/bin/date +%s.%N) $*" >>"${this.#calls(tool)}"
case "$mood" in
refused) echo "RTNETLINK answers: Operation not permitted" >&2; exit 1 ;;
hang) exec /bin/sleep 60 ;;
nonsense) echo '<<<% } what is this 17 ['; exit 0 ;;
esac
exit 99
`;
  }
}

function find(tool: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => join(folder, tool)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`there is no ${tool}`);
  return found;
}
