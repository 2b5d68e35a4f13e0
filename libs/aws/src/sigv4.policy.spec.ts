import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { SEND_EMAIL_PATH } from './outgoing-mail.policy';
import { SigV4Signer, type SigningCredentials } from './sigv4.policy';

/** The hash the SDK's signer asks for. */
class Sha256 {
  private hash;

  constructor(private readonly secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = this.begin();
  }

  update(data: string | Uint8Array): void {
    this.hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }

  reset(): void {
    this.hash = this.begin();
  }

  private begin() {
    const { secret } = this;
    if (secret === undefined) return createHash('sha256');
    if (typeof secret === 'string') return createHmac('sha256', secret);
    const bytes = ArrayBuffer.isView(secret)
      ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
      : Buffer.from(secret);
    return createHmac('sha256', bytes);
  }
}

interface Request {
  readonly host: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly atMs: number;
}

async function bySdk({ host, contentType, body, credentials, region, atMs }: Request): Promise<string | undefined> {
  const signer = new SignatureV4({ service: 'ses', region, credentials, sha256: Sha256, applyChecksum: false });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: SEND_EMAIL_PATH,
      query: {},
      headers: { 'content-type': contentType, host },
      body,
    },
    { signingDate: new Date(atMs) },
  );
  return signed.headers['authorization'];
}

function byUs(signer: SigV4Signer, { credentials, region, atMs, ...post }: Request): string | undefined {
  const headers = signer.sign({ ...post, path: SEND_EMAIL_PATH }, credentials, region, atMs);
  return headers[headers.indexOf('authorization') + 1];
}

describe('P29: our signature', () => {
  const DAY = 86_400_000;
  const printable = fc.string({
    unit: fc.constantFrom(' ', '\t', '!', '"', '%', '&', '+', ',', '/', '0', ':', ';', '=', 'A', 'z', '~'),
    maxLength: 60,
  });
  const request: fc.Arbitrary<Request> = fc.record({
    host: fc.constantFrom('email.us-east-1.amazonaws.com', '127.0.0.1:4566', 'ses.internal'),
    contentType: fc.oneof(fc.constant('application/json'), printable),
    body: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    ),
    credentials: fc.record(
      {
        accessKeyId: fc.stringMatching(/^A[A-Z0-9]{19}$/),
        secretAccessKey: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
        sessionToken: fc.string({ minLength: 1, maxLength: 600 }).map((text) => Buffer.from(text).toString('base64')),
      },
      { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
    ),
    region: fc.constantFrom('us-east-1', 'eu-central-1', 'ap-southeast-3'),
    // Often within two seconds of midnight UTC.
    atMs: fc
      .tuple(fc.integer({ min: 17_000, max: 25_000 }), fc.oneof(fc.integer({ min: -2_000, max: 2_000 }), fc.nat(DAY)))
      .map(([day, offset]) => day * DAY + offset),
  });

  it('equals the SDK’s on random requests, also with a signer that has signed others before', async () => {
    const used = new SigV4Signer('ses');
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const expected = await bySdk(one);
        expect(byUs(used, one)).toBe(expected);
        expect(byUs(new SigV4Signer('ses'), one)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps no key over midnight, nor over regions, nor for another secret under the same key id', async () => {
    const signer = new SigV4Signer('ses');
    const credentials = { accessKeyId: 'AKIA0000000000000001', secretAccessKey: 'one' };
    const first: Request = {
      host: 'email.us-east-1.amazonaws.com',
      contentType: 'application/json',
      body: Buffer.from('{}'),
      credentials,
      region: 'us-east-1',
      atMs: 20_000 * DAY - 1,
    };
    const others = [
      { ...first, atMs: 20_000 * DAY },
      { ...first, region: 'eu-west-1' },
      first,
      { ...first, credentials: { ...credentials, secretAccessKey: 'two' } },
    ];
    for (const one of [first, ...others]) expect(byUs(signer, one)).toBe(await bySdk(one));
  });
});
