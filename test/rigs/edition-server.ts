import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type BasePartTarget,
  type DeltaTarget,
  editionsPath,
  type NamedTarget,
  targetName,
  targetPath,
} from '#contracts/edition-target.ts';
import { leafBytes, leafHash, treeRoot } from '#formats/edition/hash-tree.ts';
import { type Credentials, makeAuthority } from './certificates.ts';
import { seeded } from './random.ts';

const common = {
  collection: 'sltd',
  date: '2026-11-24T08:00:00.000Z',
  count: 1,
  fingerprintKey: '1',
} as const;

/** A file of noise, and how it is signed for. */
export interface TestFile<T extends BasePartTarget | DeltaTarget = BasePartTarget | DeltaTarget> {
  readonly bytes: Buffer;
  readonly target: NamedTarget<T>;
}

function noise(length: number, seed: number): Buffer {
  const random = seeded(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = random() * 256;
  return bytes;
}

function described<T extends BasePartTarget | DeltaTarget>(bytes: Buffer, about: T): TestFile<T> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, target: { name: targetName(about), bytes: bytes.length, sha256, about } };
}

/** A part of a base with so many bytes before its leaf hashes. */
export function makeBase(leavesAt: number, seed = 1): TestFile<BasePartTarget> {
  const body = noise(leavesAt, seed);
  const leaves: Buffer[] = [];
  for (let at = 0; at < body.length; at += leafBytes)
    leaves.push(leafHash(body.subarray(at, at + leafBytes)));
  const hashes = Buffer.concat(leaves);
  const tree = treeRoot(hashes).toString('hex');
  const about = { ...common, edition: 12, part: 'fingerprints', tree, leavesAt, served: true } as const;
  return described(Buffer.concat([body, hashes]), about);
}

export function makeDelta(length: number, seed = 2): TestFile<DeltaTarget> {
  return described(noise(length, seed), { ...common, edition: 13, from: 12, part: 'delta' });
}

export type Answer = (request: IncomingMessage, response: ServerResponse, file: Buffer | undefined) => void;

/** A repository over real TLS that answers well or, on a test's word, in its own way. */
export interface EditionServer {
  readonly port: number;
  readonly url: string;
  readonly authority: string;
  readonly terminal: Credentials;
  /** By path below the repository's address. */
  readonly files: Map<string, Buffer>;
  /** Each request so far, as `PATH RANGE`. */
  readonly asked: readonly string[];
  /** How it answers from now on. */
  answer: Answer;
  /** Puts the file where its target says, or other bytes in its place. */
  put(file: TestFile, bytes?: Buffer): void;
  close(): Promise<void>;
}

export async function startEditionServer(): Promise<EditionServer> {
  const authority = await makeAuthority();
  const own = await authority.issue({ name: 'central', dns: ['localhost'], ip: ['127.0.0.1'] });
  const terminal = await authority.issue({ name: 'UTO-0001-1' });
  const asked: string[] = [];
  const files = new Map<string, Buffer>();
  const server = createServer(
    {
      ca: authority.certificate,
      cert: own.certificate,
      key: own.key,
      requestCert: true,
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      const path = (request.url ?? '').slice(editionsPath.length);
      asked.push(`${path} ${request.headers.range ?? ''}`.trim());
      running.answer(request, response, files.get(path));
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const running: EditionServer = {
    port,
    url: `https://127.0.0.1:${port}`,
    authority: authority.certificate,
    terminal,
    files,
    asked,
    answer: wellBehaved,
    put: ({ target, bytes }, other = bytes) => void files.set(targetPath(target), other),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return running;
}

/** The whole, or the one range that is asked for. */
export const wellBehaved: Answer = (request, response, file) => {
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { 'content-length': file.length }).end(file);
    return;
  }
  const from = Number(first);
  if (from >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  const end = Math.min(last === undefined || last === '' ? file.length : Number(last) + 1, file.length);
  response
    .writeHead(206, {
      'content-length': end - from,
      'content-range': `bytes ${from}-${end - 1}/${file.length}`,
    })
    .end(file.subarray(from, end));
};
