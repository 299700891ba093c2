import { readFileSync } from 'node:fs';

/** Processor time of these processes so far, and of what they started and has ended, in seconds. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // After the name, which may hold anything but ends at the last parenthesis.
    const fields = readProc(pid, 'stat')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    // utime, stime, cutime and cstime of proc_pid_stat(5), in ticks of 10 ms.
    return sum + fields.slice(11, 15).reduce((ticks, one) => ticks + one, 0) / 100;
  }, 0);
}

/** Resident memory of these processes without what they share, in MiB: VmRSS less RssShmem and RssFile. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(readProc(pid, 'status'))?.[1] ?? '0';
    return sum + Number(anonymous) / 1024;
  }, 0);
}

/** A process that has ended meanwhile takes nothing. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
