import type { IncomingMessage } from 'node:http';
import { AwsError } from './aws.errors';

export interface WireRequest {
  readonly method: string;
  /** The path as it was on the wire, still percent-encoded. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly remoteAddress: string;
  /** Simulated time since when it may have waited to be heard, when this process was held up; undefined when it was not. */
  readonly since?: number;
}

/** A message may be 40 MB after base64; the JSON around Raw data needs some more (aws-facts 3). */
const MAX_BODY = 60 * 1024 * 1024;

export async function readRequest(message: IncomingMessage, since?: number): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new AwsError('RequestEntityTooLarge', 413, 'Request entity is too large.');
    chunks.push(chunk);
  }
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return {
    method: message.method ?? 'GET',
    rawPath: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? '' : url.slice(mark + 1),
    headers,
    body: chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks),
    remoteAddress: message.socket.remoteAddress ?? '127.0.0.1',
    ...(since === undefined ? {} : { since }),
  };
}
