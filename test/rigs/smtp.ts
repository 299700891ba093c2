import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Credentials } from './certificates.ts';

/** One mail as it arrived: the envelope and the whole text with its headers. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
  /** Account and password that were given, or undefined. */
  readonly account: string | undefined;
}

export interface SmtpSink {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** How many of the next mails are refused for now (RFC 5321 § 4.2.1, 4yz). */
  refuseNext(mails: number): void;
  close(): Promise<void>;
}

/**
 * A mail server that keeps what it receives: the commands of RFC 5321 § 4.5.1 and AUTH PLAIN (RFC 4954). With a
 * certificate it speaks TLS from the first byte (RFC 8314 § 3.3).
 */
export async function startSmtpSink(tls?: Credentials): Promise<SmtpSink> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let refuse = 0;
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    talk(socket, (mail) => {
      if (refuse > 0) {
        refuse--;
        return '451 4.3.0 not now';
      }
      mails.push(mail);
      return '250 2.0.0 kept';
    });
  };
  const server =
    tls === undefined ? createServer(serve) : createTlsServer({ cert: tls.certificate, key: tls.key }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    refuseNext(count) {
      refuse = count;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function talk(socket: Socket, keep: (mail: ReceivedMail) => string): void {
  let from = '';
  let to: string[] = [];
  let data: string[] | undefined;
  let account: string | undefined;
  let pending = '';
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  const command = (line: string): void => {
    const [verb = '', ...rest] = line.split(' ');
    const path = /<([^>]*)>/.exec(line)?.[1] ?? '';
    switch (verb.toUpperCase()) {
      case 'EHLO':
        say('250-sink.example');
        return say('250 AUTH PLAIN');
      case 'HELO':
      case 'NOOP':
      case 'RSET':
        return say('250 2.0.0 ok');
      case 'AUTH':
        account = Buffer.from(rest[1] ?? '', 'base64')
          .toString()
          .split('\0')
          .slice(1)
          .join(':');
        return say('235 2.7.0 in');
      case 'MAIL':
        from = path;
        to = [];
        return say('250 2.1.0 ok');
      case 'RCPT':
        to.push(path);
        return say('250 2.1.5 ok');
      case 'DATA':
        data = [];
        return say('354 go on');
      case 'QUIT':
        say('221 2.0.0 bye');
        return void socket.end();
      default:
        return say('500 5.5.1 what');
    }
  };
  socket.on('data', (bytes) => {
    const lines = `${pending}${bytes.toString('utf8')}`.split('\r\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      if (data === undefined) {
        command(line);
      } else if (line === '.') {
        say(keep({ from, to, data: data.join('\n'), account }));
        data = undefined;
      } else {
        // A dot at the start of a line was doubled (§ 4.5.2).
        data.push(line.startsWith('.') ? line.slice(1) : line);
      }
    }
  });
  say('220 sink.example ESMTP');
}
