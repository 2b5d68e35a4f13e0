import type { Message } from '@libs/sending';
import { mailboxAddress, mailboxOf, testVerdict } from './test-email.policy';
import { TEST_MAILBOXES } from './test-email.type';

const message = (state: Message['state']): Pick<Message, 'state' | 'recipients'> => ({ state, recipients: [] });

describe('a test message', () => {
  it.each([
    ['SUCCESS', 'DELIVERED', 'PASSED'],
    ['BOUNCE', 'BOUNCED', 'PASSED'],
    ['COMPLAINT', 'COMPLAINED', 'PASSED'],
    ['SUCCESS', 'QUEUED', 'PENDING'],
    ['SUCCESS', 'SENT', 'PENDING'],
    ['SUCCESS', 'IN_DOUBT', 'PENDING'],
    ['COMPLAINT', 'DELIVERED', 'PENDING'],
    ['BOUNCE', 'DELIVERED', 'FAILED'],
    ['SUCCESS', 'BOUNCED', 'FAILED'],
    ['BOUNCE', 'SUPPRESSED', 'FAILED'],
    ['SUCCESS', 'REJECTED', 'FAILED'],
    ['SUCCESS', 'EXPIRED', 'FAILED'],
  ] as const)('to %s that is %s is %s', (mailbox, state, expected) => {
    expect(testVerdict(mailbox, message(state)).state).toBe(expected);
  });

  it('goes to an address of its own each time, and the address tells which mailbox it was', () => {
    for (const mailbox of TEST_MAILBOXES) {
      expect(mailboxOf(mailboxAddress(mailbox))).toBe(mailbox);
      expect(mailboxAddress(mailbox)).not.toBe(mailboxAddress(mailbox));
    }
  });
});
