import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsError } from './aws.errors';
import type { WireRequest } from './http.request';

export interface SignedScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const SKEW_MS = 5 * 60_000;
const HEADER =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request\s*,\s*SignedHeaders=([a-z0-9;-]+)\s*,\s*Signature=([0-9a-f]{64})$/;

/** The credential scope of a request, or undefined when it is not signed at all. Throws when the header cannot be read. */
export function signedScope(request: WireRequest): SignedScope | undefined {
  const header = request.headers['authorization'];
  if (header === undefined) return undefined;
  const match = HEADER.exec(header.trim());
  if (match === null) {
    throw new AwsError('IncompleteSignature', 403, 'Authorization header is not a valid AWS4-HMAC-SHA256 header.');
  }
  const [, accessKeyId = '', date = '', region = '', service = '', signed = '', signature = ''] = match;
  return { accessKeyId, date, region, service, signedHeaders: signed.split(';'), signature };
}

/**
 * Verifies an AWS Signature Version 4 as botocore and the JavaScript SDK make it: the path on the wire is encoded once
 * more, the query is sorted, and `x-amz-content-sha256`, where present, must be the body's hash or UNSIGNED-PAYLOAD.
 * `nowMs` is real time: signatures do not follow the simulated clock.
 */
export function verifySignature(request: WireRequest, scope: SignedScope, secretKey: string, nowMs: number): void {
  const amzDate = request.headers['x-amz-date'] ?? '';
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined || !amzDate.startsWith(scope.date)) {
    throw new AwsError('IncompleteSignature', 403, "Date in Credential scope does not match the request's X-Amz-Date.");
  }
  if (Math.abs(nowMs - signedAt) > SKEW_MS) {
    const side = signedAt < nowMs ? 'Signature expired' : 'Signature not yet current';
    throw signatureMismatch(scope.service, `${side}: ${amzDate} is more than 5 min. away from the current time.`);
  }
  if (!scope.signedHeaders.includes('host')) throw signatureMismatch(scope.service);
  const claimed = request.headers['x-amz-content-sha256'];
  const payloadHash = claimed ?? sha256(request.body);
  if (claimed !== undefined && claimed !== 'UNSIGNED-PAYLOAD' && claimed !== sha256(request.body)) {
    throw signatureMismatch(scope.service);
  }
  const canonical = [
    request.method,
    canonicalPath(request.rawPath),
    canonicalQuery(request.rawQuery),
    ...scope.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    scope.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n${sha256(canonical)}`;
  const expected = createHmac('sha256', signingKey(secretKey, scope)).update(toSign).digest();
  if (!timingSafeEqual(expected, Buffer.from(scope.signature, 'hex'))) throw signatureMismatch(scope.service);
}

/** The Query services and the JSON services of AWS have each their own name for it. */
function signatureMismatch(service: string, detail?: string): AwsError {
  return new AwsError(
    service === 'sts' || service === 'sns' ? 'SignatureDoesNotMatch' : 'InvalidSignatureException',
    403,
    detail ??
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Deriving the key costs four HMACs; a client uses one per day, region and service. */
const keys = new Map<string, Buffer>();

function signingKey(secretKey: string, scope: SignedScope): Buffer {
  const name = `${scope.accessKeyId}/${scope.date}/${scope.region}/${scope.service}/${secretKey}`;
  let key = keys.get(name);
  if (key === undefined) {
    const hmac = (base: string | Buffer, text: string): Buffer => createHmac('sha256', base).update(text).digest();
    key = hmac(hmac(hmac(hmac(`AWS4${secretKey}`, scope.date), scope.region), scope.service), 'aws4_request');
    if (keys.size > 2000) keys.clear();
    keys.set(name, key);
  }
  return key;
}

function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function canonicalPath(rawPath: string): string {
  const segments: string[] = [];
  for (const segment of rawPath.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encodeStrictly(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && rawPath.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return '';
  return rawQuery
    .split('&')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return [encodeStrictly(decodeLoosely(name)), encodeStrictly(decodeLoosely(value))] as const;
    })
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
