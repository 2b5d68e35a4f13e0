import fc from 'fast-check';
import { isNotSpam, parseSesEvent } from './ses-event.policy';

const mail = {
  timestamp: '2026-11-22T12:00:00.000Z',
  messageId: 'ses-1',
  sendingAccountId: '111122223333',
  destination: ['Ann@Example.com', 'bob@example.com'],
  headers: [{ name: 'From', value: 'x' }],
  tags: { message: ['m-1'], attempt: ['a-1'], 'ses:operation': ['SendEmail'] },
};
const event = (eventType: string, part: object) => parseSesEvent(JSON.stringify({ eventType, mail, ...part }));

describe('an event of SES', () => {
  it('is read with its tags, account and time', () => {
    expect(event('Send', { send: {} })).toMatchObject({
      kind: 'Send',
      sesMessageId: 'ses-1',
      accountId: '111122223333',
      tags: { message: 'm-1', attempt: 'a-1' },
      atMs: Date.parse(mail.timestamp),
      perRecipient: false,
      recipients: [{ address: 'Ann@example.com' }, { address: 'bob@example.com' }],
    });
  });

  it('of a delivery is about the recipients it names, with the words of their server', () => {
    const delivery = {
      timestamp: '2026-11-22T12:00:01.000Z',
      recipients: ['ann@example.com'],
      smtpResponse: '250 ok',
      newField: 1,
    };
    expect(event('Delivery', { delivery })).toMatchObject({
      kind: 'Delivery',
      perRecipient: true,
      recipients: [{ address: 'ann@example.com', detail: '250 ok' }],
      mark: '2026-11-22T12:00:01.000Z',
      data: { delivery },
    });
  });

  it('can be stored whatever a mail server wrote: no NUL, no half characters, no endless marks, no absurd times', () => {
    const read = event('Bounce', {
      bounce: {
        bounceType: 'Permanent',
        bounceSubType: 'Gen\0eral',
        'k\0ey': 1,
        bouncedRecipients: [{ emailAddress: 'ann@example.com', diagnosticCode: `550 \0\ud83d ${'😀'.repeat(200)}` }],
        timestamp: '+012345-01-01T00:00:00Z',
        feedbackId: 'f'.repeat(5_000),
      },
    });
    expect(JSON.stringify(read)).not.toMatch(/\\u0000|\\ud[89a-f]/);
    expect(read?.recipients[0]?.detail).toMatch(/^550 \uFFFD\uFFFD 😀+$/u);
    expect(read?.mark).toHaveLength(200);
    expect(read?.atMs).toBe(Date.parse(mail.timestamp));
  });

  it.each([
    ['Permanent', 'General', 'bounce'],
    ['Permanent', 'NoEmail', 'bounce'],
    ['Permanent', 'OnAccountSuppressionList', undefined],
    ['Permanent', 'OnTenantSuppressionList', undefined],
    ['Permanent', 'EmailValidationSuppressed', undefined],
    ['Transient', 'MailboxFull', undefined],
    ['Undetermined', 'Undetermined', undefined],
  ])('of a bounce %s/%s suppresses: %s', (bounceType, bounceSubType, suppresses) => {
    const bounce = {
      bounceType,
      bounceSubType,
      bouncedRecipients: [{ emailAddress: 'ann@example.com', diagnosticCode: '550' }],
      feedbackId: 'f',
    };
    expect(event('Bounce', { bounce })).toMatchObject({
      kind: 'Bounce',
      suppresses,
      mark: 'f',
      recipients: [{ detail: '550' }],
    });
  });

  it.each([
    [{ complaintFeedbackType: 'abuse' }, 'complaint', false],
    [{}, 'complaint', false],
    [{ complaintFeedbackType: 'not-spam' }, undefined, true],
    [{ complaintSubType: 'OnAccountSuppressionList' }, undefined, false],
  ])('of a complaint %j suppresses: %s', (part, suppresses, praise) => {
    const complaint = { complainedRecipients: [{ emailAddress: 'ann@example.com' }], feedbackId: 'f', ...part };
    const read = event('Complaint', { complaint });
    expect(read).toMatchObject({ kind: 'Complaint', suppresses });
    expect(read && isNotSpam(read)).toBe(praise);
  });

  it.each([
    ['Reject', { reject: { reason: 'Bad content' } }, 'Reject', false],
    ['Rendering Failure', { failure: { errorMessage: 'x' } }, 'Rendering Failure', false],
    ['Open', { open: { timestamp: mail.timestamp } }, 'Open', false],
    ['Click', { click: { link: 'https://x' } }, 'Click', false],
    [
      'DeliveryDelay',
      { deliveryDelay: { delayType: 'MailboxFull', delayedRecipients: [{ emailAddress: 'ann@example.com' }] } },
      'DeliveryDelay',
      true,
    ],
    ['Subscription', { subscription: {} }, 'Subscription', false],
    ['SomethingNew', { somethingNew: { a: 1 } }, 'Other', false],
  ])('of type %s is read', (type, part, kind, perRecipient) => {
    expect(event(type, part)).toMatchObject({ kind, perRecipient });
  });

  it("that opens with one recipient is that recipient's", () => {
    const read = parseSesEvent(
      JSON.stringify({ eventType: 'Open', mail: { ...mail, destination: ['ann@example.com'] }, open: {} }),
    );
    expect(read).toMatchObject({ perRecipient: true, recipients: [{ address: 'ann@example.com' }] });
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseSesEvent(text)));
    expect(parseSesEvent('Successfully validated SNS topic for Amazon SES event publishing.')).toBeUndefined();
    expect(parseSesEvent('{"eventType":"Send"}')).toBeUndefined();
  });
});
