import { readFileSync } from 'node:fs';

/**
 * The number of a user of this machine, or undefined where it has none of this name. Read from the file and not asked
 * of the name service: users of the system stand there (sysusers.d(5)), and no lookup can hang.
 */
export function userNumber(name: string, file = '/etc/passwd'): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split('\n')) {
    // name:password:UID:GID:gecos:directory:shell, passwd(5).
    const [user, , uid] = line.split(':');
    if (user === name && uid !== undefined && /^[0-9]{1,10}$/.test(uid)) return Number(uid);
  }
  return undefined;
}
