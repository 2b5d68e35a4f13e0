/** What a special recipient makes happen, or undefined for ordinary mail. */
export type TestOutcome =
  'DELIVER' | 'BOUNCE' | 'COMPLAIN' | 'SUPPRESSED_GLOBAL' | 'SUPPRESSED_ACCOUNT' | 'DELAY' | 'THROTTLE';

/** AWS's mailbox simulator (aws-facts 3). */
const MAILBOX: Readonly<Record<string, TestOutcome>> = {
  success: 'DELIVER',
  ooto: 'DELIVER',
  bounce: 'BOUNCE',
  complaint: 'COMPLAIN',
  suppressionlist: 'SUPPRESSED_GLOBAL',
};

/** The product's test-mode addresses (API.md, introduction). */
const TEST_MODE: Readonly<Record<string, TestOutcome>> = {
  delivered: 'DELIVER',
  bounced: 'BOUNCE',
  complained: 'COMPLAIN',
  suppressed: 'SUPPRESSED_ACCOUNT',
  delayed: 'DELAY',
  throttled: 'THROTTLE',
};

const DOMAINS: Readonly<Record<string, typeof MAILBOX>> = {
  'simulator.amazonses.com': MAILBOX,
  'postfleet.test': TEST_MODE,
};

/** `+label` is ignored. Such mail uses no daily quota, is rate limited, and may be sent from the sandbox. */
export function testOutcome(address: string): TestOutcome | undefined {
  const at = address.lastIndexOf('@');
  const table = DOMAINS[address.slice(at + 1).toLowerCase()];
  if (table === undefined) return undefined;
  return table[address.slice(0, at).toLowerCase().split('+')[0] ?? ''];
}
