import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from '#contracts/errors.ts';
import type { Refusal } from '#contracts/lookup.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';

/** The longest body that a lookup may have, in bytes: `maxNumbers` numbers of 27 characters need a tenth of it. */
export const maxBodyBytes = 16_384;

/** A body as text; REQUEST_INVALID where it is longer than allowed or was cut off. */
export function readBody(request: IncomingMessage): Promise<Result<string>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else resolve(fail('REQUEST_INVALID', `The body is longer than ${maxBodyBytes} bytes.`));
    });
    request.on('end', () => resolve(ok(Buffer.concat(chunks).toString('utf8'))));
    request.on('close', () => resolve(fail('REQUEST_INVALID', 'The request was cut off.')));
  });
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    .end(body);
}

export function sendRefusal(response: ServerResponse, status: number, fault: Fault): void {
  const { what, remedy } = errors[fault.code];
  const refusal: Refusal = { code: fault.code, what, detail: fault.detail, remedy };
  sendJson(response, status, refusal);
}
