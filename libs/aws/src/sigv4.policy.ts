import { createHmac, hash } from 'node:crypto';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A POST that is about to be signed. */
export interface UnsignedPost {
  /** As it stands in the Host header: with its port unless that is the default one. */
  readonly host: string;
  /** Absolute, of characters that need no percent-encoding. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

interface DerivedKey {
  readonly day: string;
  readonly scope: string;
  readonly mac: KeyedHash;
}

/**
 * AWS Signature Version 4 for the requests of one service. The SDK's own signer is right but dear: it is general,
 * asynchronous and hashes through several layers. A derived key is good for a day and is kept per session and region.
 */
export class SigV4Signer {
  private readonly keys = new WeakMap<SigningCredentials, Map<string, DerivedKey>>();
  private second = Number.NaN;
  private date = '';

  /** `service` as AWS's scopes name it: `ses`. */
  constructor(private readonly service: string) {}

  /**
   * The headers to send, names and values in turn; the Host header is the transport's to write. They are few and fixed,
   * so their order in the signature is too. `atMs`: real milliseconds since 1970, never the engine's clock.
   */
  sign(post: UnsignedPost, credentials: SigningCredentials, region: string, atMs: number): string[] {
    const { host, path, contentType, body } = post;
    const { sessionToken: token } = credentials;
    const date = this.dateAt(atMs);
    const { scope, mac } = this.derivedKey(credentials, date.slice(0, 8), region);

    let names = 'content-type;host;x-amz-date';
    let lines = `content-type:${canonical(contentType)}\nhost:${host}\nx-amz-date:${date}\n`;
    if (token !== undefined) {
      names += ';x-amz-security-token';
      lines += `x-amz-security-token:${canonical(token)}\n`;
    }
    const request = `POST\n${path}\n\n${lines}\n${names}\n${sha256(body)}`;
    const signature = mac.hex(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(request)}`);

    const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    const headers = ['content-type', contentType, 'x-amz-date', date, 'authorization', authorization];
    if (token !== undefined) headers.push('x-amz-security-token', token);
    return headers;
  }

  /** `20261122T081900Z`; formatted once a second. */
  private dateAt(atMs: number): string {
    const second = Math.floor(atMs / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.date = `${new Date(second * 1_000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    }
    return this.date;
  }

  private derivedKey(credentials: SigningCredentials, day: string, region: string): DerivedKey {
    const byRegion = this.keys.get(credentials) ?? new Map<string, DerivedKey>();
    const known = byRegion.get(region);
    if (known?.day === day) return known;
    const key = [day, region, this.service, 'aws4_request'].reduce(
      (secret: Buffer, part) => createHmac('sha256', secret).update(part).digest(),
      Buffer.from(`AWS4${credentials.secretAccessKey}`),
    );
    const derived = { day, scope: `${day}/${region}/${this.service}/aws4_request`, mac: new KeyedHash(key) };
    this.keys.set(credentials, byRegion.set(region, derived));
    return derived;
  }
}

const BLOCK = 64;
const DIGEST = 32;

/**
 * HMAC-SHA-256 of short texts in ASCII under one key, as two plain hashes (RFC 2104): an Hmac object for each costs twice
 * what it computes.
 */
class KeyedHash {
  private inner: Buffer;
  private readonly outer = Buffer.alloc(BLOCK + DIGEST);

  /** `key`: at most 64 bytes. */
  constructor(key: Buffer) {
    this.inner = Buffer.alloc(BLOCK * 8);
    for (let i = 0; i < BLOCK; i += 1) {
      const byte = key[i] ?? 0;
      this.inner[i] = byte ^ 0x36;
      this.outer[i] = byte ^ 0x5c;
    }
  }

  hex(text: string): string {
    if (BLOCK + text.length > this.inner.length) {
      this.inner = Buffer.concat([this.inner.subarray(0, BLOCK)], BLOCK + text.length);
    }
    const length = this.inner.write(text, BLOCK, 'latin1');
    this.outer.write(hash('sha256', this.inner.subarray(0, BLOCK + length), 'hex'), BLOCK, 'hex');
    return hash('sha256', this.outer, 'hex');
  }
}

/** A header's value without spaces around it, and one space where there are several. */
function canonical(value: string): string {
  return /\s/.test(value) ? value.trim().replace(/\s+/g, ' ') : value;
}

function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}
