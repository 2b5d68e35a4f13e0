/** Why a message that claims to come from Amazon SNS is not believed. */
export type ForgeryReason =
  | 'too-large'
  | 'unreadable'
  | 'foreign-topic'
  | 'certificate-address'
  | 'certificate-missing'
  | 'certificate'
  | 'signature';

/** The message is not from SNS, or not for a topic of ours: answered 403, nothing is stored, nothing is retried. */
export class SnsForged extends Error {
  constructor(
    readonly reason: ForgeryReason,
    detail: string,
  ) {
    super(detail);
    this.name = 'SnsForged';
  }
}

/** The certificate could not be fetched just now: answered 5xx, so that SNS delivers again. Never cached. */
export class CertificateUnavailable extends Error {
  constructor(url: string, why: string) {
    super(`the signing certificate ${url} could not be fetched: ${why}`);
    this.name = 'CertificateUnavailable';
  }
}
