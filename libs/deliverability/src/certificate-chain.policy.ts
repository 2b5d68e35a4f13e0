import { X509Certificate } from 'node:crypto';

/** Whom a signing certificate must come from. */
export interface CertificateTrust {
  readonly anchors: readonly X509Certificate[];
  /** The names one of which the certificate must carry; any name when empty. */
  readonly names: readonly string[];
  /**
   * The organisation whose certificate is believed without its intermediates. Amazon publishes the leaf alone; what
   * anchors it then is the verified TLS connection to the one host it may come from. Undefined: a full chain or nothing.
   */
  readonly bareLeafIssuer?: string;
}

const MAX_CHAIN = 5;

/** The certificates in a PEM file, in order; empty when there is none or one cannot be read. */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.slice(0, MAX_CHAIN).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs < Date.parse(certificate.validTo);
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/**
 * What is wrong with a chain (leaf first), or undefined when it may be believed: every certificate within its validity,
 * each signed by the next, the last by an anchor.
 */
export function chainProblem(
  chain: readonly X509Certificate[],
  trust: CertificateTrust,
  nowMs: number,
): string | undefined {
  const [leaf, ...others] = chain;
  if (!leaf) return 'the file holds no certificate';
  if (
    trust.names.length > 0 &&
    !trust.names.some((name) => leaf.checkHost(name, { subject: 'always' }) !== undefined)
  ) {
    return `the certificate is not for ${trust.names.join(' or ')}`;
  }
  let current = leaf;
  const left = [...others];
  for (let depth = 0; depth < MAX_CHAIN; depth += 1) {
    if (!isValidAt(current, nowMs)) return 'a certificate is expired or not valid yet';
    const certificate = current;
    const anchor = trust.anchors.find((candidate) => issued(candidate, certificate));
    if (anchor) return isValidAt(anchor, nowMs) ? undefined : 'its authority is expired';
    const next = left.findIndex((candidate) => candidate.ca && issued(candidate, certificate));
    if (next < 0) break;
    current = left.splice(next, 1)[0] ?? current;
  }
  const bare = chain.length === 1 && trust.bareLeafIssuer !== undefined;
  if (bare && leaf.issuer.split('\n').includes(`O=${trust.bareLeafIssuer ?? ''}`)) return undefined;
  return 'the certificate leads to no trusted authority';
}
