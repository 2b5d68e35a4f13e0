import { createVerify } from 'node:crypto';
import { SnsForged } from './deliverability.errors';
import type { SigningCertificates } from './signing-certificate.service';
import { regionOfTopic, stringToSign, type SnsMessage } from './sns-message.policy';

/** Says whether a delivery was signed by Amazon SNS (or the one trusted simulator). Signature versions 1 and 2. */
export class SnsVerifier {
  constructor(private readonly certificates: SigningCertificates) {}

  /**
   * @throws SnsForged when it was not
   * @throws CertificateUnavailable when that cannot be told just now
   */
  async verify(message: SnsMessage): Promise<void> {
    const region = regionOfTopic(message.TopicArn);
    if (region === undefined) throw new SnsForged('foreign-topic', 'TopicArn is not the ARN of a topic');
    const key = await this.certificates.key(message.SigningCertURL, region);
    const algorithm = message.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    const verifier = createVerify(algorithm).update(stringToSign(message), 'utf8');
    if (key.asymmetricKeyType !== 'rsa' || !verifier.verify(key, message.Signature, 'base64')) {
      throw new SnsForged('signature', 'the signature does not match the message');
    }
  }
}
