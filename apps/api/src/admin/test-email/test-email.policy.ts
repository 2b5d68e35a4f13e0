import { randomBytes } from 'node:crypto';
import type { Message } from '@libs/sending';
import type { TestEmailState, TestMailbox } from './test-email.type';

const LOCAL_PART: Readonly<Record<TestMailbox, string>> = {
  SUCCESS: 'success',
  BOUNCE: 'bounce',
  COMPLAINT: 'complaint',
};
const EXPECTED = { SUCCESS: 'DELIVERED', BOUNCE: 'BOUNCED', COMPLAINT: 'COMPLAINED' } as const;

/** States after which nothing more is expected. DELIVERED is not one of them: a complaint comes after the delivery. */
const FINAL: readonly Message['state'][] = ['BOUNCED', 'COMPLAINED', 'REJECTED', 'SUPPRESSED', 'EXPIRED', 'CANCELED'];

/** An address of SES's mailbox simulator, labelled: the address of an earlier bounce test is suppressed by now. */
export function mailboxAddress(mailbox: TestMailbox): string {
  return `${LOCAL_PART[mailbox]}+${randomBytes(6).toString('hex')}@simulator.amazonses.com`;
}

export function mailboxOf(address: string): TestMailbox | undefined {
  return (Object.keys(LOCAL_PART) as TestMailbox[]).find((mailbox) => address.startsWith(`${LOCAL_PART[mailbox]}+`));
}

/** Green only when the expected event has come back; SES taking the message proves half of the way. */
export function testVerdict(
  mailbox: TestMailbox,
  message: Pick<Message, 'state' | 'recipients'>,
): { state: TestEmailState; detail: string } {
  const expected = EXPECTED[mailbox];
  const { state } = message;
  const words = message.recipients[0]?.detail;
  if (state === expected) return { state: 'PASSED', detail: `The event came back: ${state}.` };
  const unexpectedDelivery = state === 'DELIVERED' && mailbox === 'BOUNCE';
  if (FINAL.includes(state) || unexpectedDelivery) {
    return { state: 'FAILED', detail: `Expected ${expected}, got ${state}${words ? `: ${words}` : ''}.` };
  }
  return { state: 'PENDING', detail: `Waits for ${expected}; the message is ${state} now.` };
}
