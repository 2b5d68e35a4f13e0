import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { HttpRefusal } from './http.errors';

const INFLATERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/**
 * The whole body, at most `limit` bytes after decompression: a small bomb is refused while it unfolds.
 * @throws HttpRefusal 413, 415 or 400. The connection closes afterwards, because the rest of the body is never read.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? '0');
  if (declared > limit) throw tooLarge(limit);
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  let source: Readable = request;
  if (encoding !== 'identity') {
    if (!isInflater(encoding)) {
      throw new HttpRefusal(415, 'INVALID_INPUT', 'Content-Encoding must be gzip, deflate, br or identity.', close);
    }
    // The callback is required; what goes wrong is thrown by the loop below.
    source = pipeline(request, INFLATERS[encoding](), () => undefined);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpRefusal) throw error;
    throw new HttpRefusal(
      400,
      'INVALID_INPUT',
      'The body ended early or is not compressed as its Content-Encoding says.',
      close,
    );
  }
  return Buffer.concat(chunks);
}

const close = { connection: 'close' };

function tooLarge(limit: number): HttpRefusal {
  return new HttpRefusal(413, 'PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes.`, close);
}

function isInflater(encoding: string): encoding is keyof typeof INFLATERS {
  return Object.hasOwn(INFLATERS, encoding);
}
