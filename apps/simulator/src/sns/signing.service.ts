import 'reflect-metadata';
import { createPrivateKey, randomBytes, sign, webcrypto, type KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Clock } from '@libs/kernel';
import type { SigningState } from '../state/simulator.state';
import { stringToSign, type SnsEnvelope } from './sns-envelope.policy';

const YEAR_MS = 365 * 86_400_000;

/** The key that signs SNS messages, with its certificate and the private authority that issued it. */
export class SigningService {
  private readonly key: KeyObject;

  constructor(readonly identity: SigningState) {
    this.key = createPrivateKey(identity.privateKeyPem);
  }

  get certificatePath(): string {
    return `/SimpleNotificationService-${this.identity.fingerprint}.pem`;
  }

  /** Signs in the thread pool: an RSA signature takes about a millisecond and must not stop the requests. */
  signature(envelope: SnsEnvelope, version: '1' | '2'): Promise<string> {
    const text = Buffer.from(stringToSign(envelope), 'utf8');
    return new Promise((resolve, reject) => {
      sign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256', text, this.key, (error, signature) => {
        if (error === null) resolve(signature.toString('base64'));
        else reject(error);
      });
    });
  }
}

/** Makes an authority (P-256) and a signing certificate (RSA 2048, as SNS has) that lasts for years. */
export async function createSigningIdentity(clock: Clock): Promise<SigningState> {
  cryptoProvider.set(webcrypto);
  const notBefore = new Date(clock.nowMs() - 86_400_000);
  const notAfter = new Date(clock.nowMs() + 10 * YEAR_MS);
  const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const caKeys = await webcrypto.subtle.generateKey(ec, true, ['sign', 'verify']);
  const keys = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  const ca = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomBytes(16).toString('hex'),
      name: 'CN=Postfleet Simulator CA',
      notBefore,
      notAfter,
      keys: caKeys,
      signingAlgorithm: ec,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: randomBytes(16).toString('hex'),
      subject: 'CN=sns.simulator.amazonaws.test',
      issuer: ca.subject,
      notBefore,
      notAfter,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: ec,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: 'sns.simulator.amazonaws.test' }]),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    caPem: ca.toString('pem'),
    certificatePem: certificate.toString('pem'),
    privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${(pkcs8.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`,
    fingerprint: randomBytes(16).toString('hex'),
  };
}
