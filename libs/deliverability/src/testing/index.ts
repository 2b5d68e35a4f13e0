import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import { createSign, generateKeyPairSync, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import * as x509 from '@peculiar/x509';
import { stringToSign, type SnsMessage } from '../sns-message.policy';

const DAY_MS = 86_400_000;
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2_048,
};
x509.cryptoProvider.set(webcrypto as never);

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

export interface Authority {
  readonly pem: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** A certificate authority of a test. `fromMs` and `days` say when it is valid. */
export async function authority(name: string, fromMs: number, days = 30): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    notBefore: new Date(fromMs),
    notAfter: new Date(fromMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys: keys,
    extensions: [new x509.BasicConstraintsExtension(true, 2, true)],
  });
  return { pem: certificate.toString('pem'), name: `CN=${name}`, keys: keys };
}

export interface Leaf {
  readonly pem: string;
  readonly privateKeyPem: string;
}

/** A signing certificate issued by an authority. */
export async function leaf(
  issuer: Authority,
  settings: { readonly fromMs: number; readonly days?: number; readonly host?: string; readonly ca?: boolean },
): Promise<Leaf & { readonly keys: webcrypto.CryptoKeyPair }> {
  const { fromMs, days = 7, host = 'sns.amazonaws.com', ca = false } = settings;
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomUUID().replaceAll('-', '').slice(0, 16),
    subject: `CN=${host}`,
    issuer: issuer.name,
    notBefore: new Date(fromMs),
    notAfter: new Date(fromMs + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
    ],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const body = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return {
    pem: certificate.toString('pem'),
    privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    keys,
  };
}

/** The certificate of a PEM text. */
export function certificateOf(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

type Unsigned = SnsMessage extends infer Kind ? (Kind extends SnsMessage ? Omit<Kind, 'Signature'> : never) : never;

/** A delivery with the signature SNS would give it. */
export function signed(message: Unsigned, privateKeyPem: string): SnsMessage {
  const whole = { ...message, Signature: '' };
  const algorithm = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return {
    ...whole,
    Signature: createSign(algorithm).update(stringToSign(whole), 'utf8').sign(privateKeyPem, 'base64'),
  };
}

/** A key that signed nothing of ours. */
export function strangersKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

/** Serves a certificate as the simulator does, and counts how often it was asked. `answer` may be changed at any time. */
export class CertificateHost {
  asked = 0;
  answer: { status: number; body: string };
  private constructor(
    private readonly server: Server,
    readonly origin: string,
    body: string,
  ) {
    this.answer = { status: 200, body };
  }

  static async open(pem: string): Promise<CertificateHost> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = new CertificateHost(server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, pem);
    server.on('request', (_request, response) => {
      host.asked += 1;
      response.writeHead(host.answer.status).end(host.answer.body);
    });
    return host;
  }

  get url(): string {
    return `${this.origin}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
