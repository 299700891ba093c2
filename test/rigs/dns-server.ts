import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** How the server behaves: answers, says nothing, answers SERVFAIL (RFC 1035 section 4.1.1), or sends what is no DNS. */
export type DnsMood = 'answering' | 'silent' | 'servfail' | 'nonsense';

/** Addresses (IPv4) by name, in lower case; a name that is not there does not exist. */
export type DnsNames = Readonly<Record<string, readonly string[]>>;

/** A DNS server of its own, on 127.0.0.1 unless told otherwise, that knows a few names and can be told to misbehave. */
export class DnsServer {
  mood: DnsMood = 'answering';
  names: DnsNames;
  /** What was asked so far: the name, the type (1 is A, 28 is AAAA) and the address that it came from. */
  readonly asked: { readonly name: string; readonly type: number; readonly from: string }[] = [];
  readonly #socket: Socket = createSocket('udp4');

  constructor(names: DnsNames = {}) {
    this.names = names;
    this.#socket.on('message', (query, from) => this.#answer(query, from));
  }

  async start(address = '127.0.0.1', port = 0): Promise<void> {
    this.#socket.bind(port, address);
    await once(this.#socket, 'listening');
  }

  /** As `setServers` takes it. */
  get server(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const question = readQuestion(query);
    if (question === undefined) return;
    this.asked.push({ name: question.name, type: question.type, from: from.address });
    if (this.mood === 'silent') return;
    const reply = this.mood === 'nonsense' ? Buffer.from('no DNS at all') : this.#reply(query, question);
    this.#socket.send(reply, from.port, from.address);
  }

  #reply(query: Buffer, { name, type, end }: Question): Buffer {
    const found = this.names[name];
    const addresses = type === 1 ? (found ?? []) : [];
    const servfail = this.mood === 'servfail';
    const code = servfail ? 2 : found === undefined ? 3 : 0;
    const answers = servfail ? [] : addresses;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    // A response, recursion desired and available, and its code; one question; so many answers.
    head.writeUInt16BE(0x81_80 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, query.subarray(12, end), ...answers.map(record)]);
  }
}

/** An A record: the name as a pointer to the question (RFC 1035 section 4.1.4), for 60 s. */
function record(address: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the question ends. */
  readonly end: number;
}

function readQuestion(query: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    if (length === 0) break;
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  if (query.length < at + 5) return undefined;
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}
