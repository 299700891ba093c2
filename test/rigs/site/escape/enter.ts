import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { linux, openCalls } from './calls.ts';

/**
 * Tries to get into another network namespace: `node enter.ts NAME PID`, the name of the namespace and a process that
 * lives in it. Prints, as JSON, of each way whether it led there.
 */
const [, , name = '', pid = ''] = process.argv;
const calls = openCalls();

const byDescriptor = (path: string): boolean => {
  try {
    const fd = openSync(path, 'r');
    const entered = calls.setns(fd, linux.CLONE_NEWNET) === 0;
    closeSync(fd);
    return entered;
  } catch {
    return false;
  }
};
const byTool = (...[tool = '', ...args]: string[]): boolean => spawnSync(tool, args).status === 0;

// A namespace of one's own, in which one is root, to be root enough for the other: user_namespaces(7) says no.
const asRootOfOwn = ['unshare', '--user', '--map-root-user', '--net'];
const ways = {
  'ip netns exec': byTool('ip', 'netns', 'exec', name, 'true'),
  'nsenter by name': byTool('nsenter', `--net=/run/netns/${name}`, 'true'),
  'nsenter by process': byTool('nsenter', '--target', pid, '--net', 'true'),
  'nsenter as root of a user namespace': byTool(
    ...asRootOfOwn,
    'nsenter',
    `--net=/run/netns/${name}`,
    'true',
  ),
  'unshare of the network': byTool('unshare', '--net', 'true'),
  'setns of process 1': byDescriptor('/proc/1/ns/net'),
  'setns of the helper': byDescriptor(`/proc/${pid}/ns/net`),
  'setns by name': byDescriptor(`/run/netns/${name}`),
};
console.log(JSON.stringify(ways));
