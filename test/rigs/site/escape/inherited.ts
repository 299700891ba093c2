import { spawn } from 'node:child_process';
import { linux, openCalls } from './calls.ts';
import { misuse, type TakeOrders } from './take-sockets.ts';
import { socketAddress } from './wire.ts';

/**
 * What an agent that is started by a socket unit could do: `node inherited.ts ORDERS COMMAND…` makes a listening socket
 * where it runs and hands it, as descriptor 3, to itself once more, run by COMMAND; that one (`node inherited.ts
 * ORDERS`) takes it off its place and connects out with it. Prints what became of it, as JSON.
 */
const [, program = '', text = '{}', ...through] = process.argv;
const orders = JSON.parse(text) as Omit<TakeOrders, 'pid'>;
const calls = openCalls();
const inheritedFd = 3;

if (through.length > 0) {
  const [command = '', ...args] = through;
  const fd = calls.socket(linux.AF_INET, linux.SOCK_STREAM | linux.SOCK_NONBLOCK, 0);
  if (calls.bind(fd, socketAddress('0.0.0.0', 0)) < 0 || calls.listen(fd) < 0) throw new Error('no listener');
  spawn(command, [...args, process.execPath, program, text], { stdio: ['ignore', 'inherit', 'inherit', fd] });
} else console.log(JSON.stringify({ fd: inheritedFd, ...misuse(calls, inheritedFd, orders) }));
