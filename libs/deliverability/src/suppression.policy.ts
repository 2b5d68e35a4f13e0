import { canonicalAddress, domainOf } from '@libs/kernel';

export const SUPPRESSION_REASONS = ['bounce', 'complaint', 'unsubscribe', 'manual'] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

/** The domain of the test addresses: they behave as their local part says, whatever happened before (API.md). */
const TEST_DOMAIN = 'postfleet.test';

/**
 * The key under which an address is suppressed: canonical, with the local part in lower case too. RFC 5321 lets `Ann@`
 * and `ann@` be two mailboxes; nobody runs such a server, and writing to one who complained is the worse mistake.
 * Undefined when the text is not an address.
 */
export function suppressionKey(address: string): string | undefined {
  return canonicalAddress(address)?.toLowerCase();
}

/**
 * What a test address is to suppression: `suppressed+x@postfleet.test` always stands on the list, `bounced` and the
 * others never do, so that a test can run twice. Undefined for every other address.
 */
export function testVerdict(key: string): 'suppressed' | 'free' | undefined {
  if (domainOf(key) !== TEST_DOMAIN) return undefined;
  const local = key.slice(0, key.lastIndexOf('@')).replace(/\+.*$/, '');
  return local === 'suppressed' ? 'suppressed' : 'free';
}

/**
 * True when an event about this recipient may suppress the address. What a simulator says about a real address in test
 * mode is chance, and must not stop real mail to it.
 */
export function maySuppress(mode: 'LIVE' | 'TEST', key: string): boolean {
  return mode === 'LIVE' || domainOf(key) === TEST_DOMAIN;
}
