import { X509Certificate, type KeyObject } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { Clock } from '@libs/kernel';
import { chainProblem, readCertificates, type CertificateTrust } from './certificate-chain.policy';
import { CertificateUnavailable, SnsForged } from './deliverability.errors';
import { isCertificateOf, snsOrigin } from './sns-message.policy';

/** A simulator whose certificate is believed as Amazon's would be. Production's configuration refuses it. */
export interface TrustedSimulator {
  /** `http://127.0.0.1:4566`: compared as a string with the start of the certificate's address. */
  readonly origin: string;
  readonly caPem: string;
}

const TTL_MS = 3_600_000;
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 64 * 1024;
const MAX_CACHED = 64;

interface Cached {
  readonly key: KeyObject;
  readonly until: number;
}

/**
 * Public keys of SNS's signing certificates: fetched from the one address a topic's region allows, checked, kept for an
 * hour. A failed fetch is never remembered, so that one bad minute of the certificate host is not the next outage.
 */
export class SigningCertificates {
  private readonly cache = new Map<string, Cached>();
  private readonly running = new Map<string, Promise<KeyObject>>();
  private readonly simulator: (TrustedSimulator & { readonly trust: CertificateTrust }) | undefined;
  private roots: readonly X509Certificate[] | undefined;

  /** @param clock real time: certificates expire by the calendar, not by the engine's clock */
  constructor(
    private readonly clock: Clock,
    simulator?: TrustedSimulator,
  ) {
    this.simulator = simulator && { ...simulator, trust: { anchors: readCertificates(simulator.caPem), names: [] } };
  }

  /**
   * The key behind `url` for a topic of `region`.
   * @throws SnsForged when the address or the certificate may not be believed
   * @throws CertificateUnavailable when it cannot be fetched just now
   */
  async key(url: string, region: string): Promise<KeyObject> {
    const trust = this.trustFor(url, region);
    const cached = this.cache.get(url);
    if (cached && this.clock.nowMs() < cached.until) return cached.key;
    const running = this.running.get(url);
    if (running) return running;
    const fetching = this.load(url, trust).finally(() => this.running.delete(url));
    this.running.set(url, fetching);
    return fetching;
  }

  private trustFor(url: string, region: string): CertificateTrust {
    if (this.simulator && isCertificateOf(this.simulator.origin, url)) return this.simulator.trust;
    if (!isCertificateOf(snsOrigin(region), url)) {
      throw new SnsForged('certificate-address', `SigningCertURL is not the address of SNS in ${region}`);
    }
    this.roots ??= rootCertificates.map((pem) => new X509Certificate(pem));
    return {
      anchors: this.roots,
      names: ['sns.amazonaws.com', `sns.${region}.amazonaws.com`],
      bareLeafIssuer: 'Amazon',
    };
  }

  private async load(url: string, trust: CertificateTrust): Promise<KeyObject> {
    const chain = readCertificates(await download(url));
    const problem = chainProblem(chain, trust, this.clock.nowMs());
    const leaf = chain[0];
    if (problem !== undefined || !leaf) throw new SnsForged('certificate', problem ?? 'no certificate');
    const expires = Date.parse(leaf.validTo);
    if (this.cache.size >= MAX_CACHED) this.cache.clear();
    this.cache.set(url, { key: leaf.publicKey, until: Math.min(this.clock.nowMs() + TTL_MS, expires) });
    return leaf.publicKey;
  }
}

async function download(url: string): Promise<string> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch(url, { signal: deadline, redirect: 'error' });
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      const gone = answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
      if (gone) throw new SnsForged('certificate-missing', `no certificate stands at ${url}`);
      throw new CertificateUnavailable(url, `HTTP ${String(answer.status)}`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > MAX_BYTES) throw new SnsForged('certificate', `the certificate is over ${String(MAX_BYTES)} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('latin1');
  } catch (error) {
    if (error instanceof SnsForged || error instanceof CertificateUnavailable) throw error;
    throw new CertificateUnavailable(url, error instanceof Error ? error.message : 'unknown failure');
  }
}
