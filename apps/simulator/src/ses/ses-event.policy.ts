import type { OutboundMail } from './outbound-mail.policy';
import type { PlannedEvent } from './recipient-outcome.policy';

/** What every event says about the mail it belongs to. */
export interface SentMail {
  readonly mail: OutboundMail;
  readonly messageId: string;
  readonly at: number;
  readonly accountId: string;
  readonly region: string;
  readonly identity: string;
  readonly configurationSet: string;
  readonly callerIdentity: string;
  readonly sourceIp: string;
  readonly operation: string;
  readonly outgoingIp: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export function sendEvent(sent: SentMail): string {
  return JSON.stringify({ eventType: 'Send', mail: mailOf(sent, false), send: {} });
}

export function rejectEvent(sent: SentMail): string {
  return JSON.stringify({ eventType: 'Reject', mail: mailOf(sent, false), reject: { reason: 'Bad content' } });
}

export function renderingFailureEvent(sent: SentMail, templateName: string, missing: string): string {
  const errorMessage = `Attribute '${missing}' is not present in the rendering data.`;
  return JSON.stringify({
    eventType: 'Rendering Failure',
    mail: withoutHeaders(mailOf(sent, false)),
    failure: { templateName, errorMessage },
  });
}

/** Delivery, Bounce, Complaint and DeliveryDelay in the shape of aws-facts 7.3. `feedbackId` must be unique per event. */
export function outcomeEvent(sent: SentMail, event: PlannedEvent, at: number, feedbackId: string): string {
  const recipients = [...event.recipients];
  const timestamp = iso(at);
  switch (event.type) {
    case 'Delivery':
      return JSON.stringify({
        eventType: 'Delivery',
        mail: mailOf(sent, true),
        delivery: {
          timestamp,
          processingTimeMillis: at - sent.at,
          recipients,
          smtpResponse: '250 2.0.0 OK: queued',
          reportingMTA: `a8-61.smtp-out.${sent.region}.amazonses.com`,
        },
      });
    case 'Bounce':
      return JSON.stringify({
        eventType: 'Bounce',
        mail: mailOf(sent, true),
        bounce: {
          ...bounceOf(event),
          timestamp,
          feedbackId,
          reportingMTA: `dns; a8-61.smtp-out.${sent.region}.amazonses.com`,
        },
      });
    case 'Complaint':
      return JSON.stringify({
        eventType: 'Complaint',
        mail: mailOf(sent, true),
        complaint: {
          complainedRecipients: recipients.map((emailAddress) => ({ emailAddress })),
          timestamp,
          feedbackId,
          complaintSubType: null,
          userAgent: 'Amazon SES Mailbox Simulator',
          complaintFeedbackType: 'abuse',
          arrivalDate: timestamp,
        },
      });
    case 'DeliveryDelay':
      return JSON.stringify({
        eventType: 'DeliveryDelay',
        mail: withoutHeaders(mailOf(sent, true)),
        deliveryDelay: {
          timestamp,
          delayType: 'TransientCommunicationFailure',
          expirationTime: iso(sent.at + 12 * 3_600_000),
          delayedRecipients: recipients.map((emailAddress) => ({
            emailAddress,
            status: '4.4.1',
            diagnosticCode: 'smtp; 421 4.4.1 Unable to connect to remote host',
          })),
        },
      });
  }
}

function bounceOf(event: PlannedEvent): Record<string, unknown> {
  const bounced = (status: string, action: string, diagnosticCode: string): unknown =>
    event.recipients.map((emailAddress) => ({ emailAddress, action, status, diagnosticCode }));
  switch (event.outcome) {
    case 'SOFT_BOUNCE':
      return {
        bounceType: 'Transient',
        bounceSubType: 'MailboxFull',
        bouncedRecipients: bounced('5.2.2', 'failed', 'smtp; 552 5.2.2 Mailbox full'),
      };
    case 'SUPPRESSED_GLOBAL':
      return {
        bounceType: 'Permanent',
        bounceSubType: 'Suppressed',
        bouncedRecipients: bounced(
          '5.1.1',
          'failed',
          'Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.',
        ),
      };
    case 'SUPPRESSED_ACCOUNT':
      return {
        bounceType: 'Permanent',
        bounceSubType: 'OnAccountSuppressionList',
        bouncedRecipients: bounced(
          '5.1.1',
          'failed',
          'Amazon SES did not send the message to this address because it is on the suppression list for your account.',
        ),
      };
    default:
      return {
        bounceType: 'Permanent',
        bounceSubType: 'General',
        bouncedRecipients: bounced('5.1.1', 'failed', 'smtp; 550 5.1.1 user unknown'),
      };
  }
}

function mailOf(sent: SentMail, delivered: boolean): Record<string, unknown> {
  const { mail } = sent;
  const from = mail.from.display === '' ? mail.from.address : `${mail.from.display} <${mail.from.address}>`;
  const date = new Date(sent.at).toUTCString().replace('GMT', '+0000');
  const headers = [
    { name: 'From', value: from },
    { name: 'To', value: mail.to.join(', ') },
    ...(mail.cc.length === 0 ? [] : [{ name: 'Cc', value: mail.cc.join(', ') }]),
    ...(mail.replyTo.length === 0 ? [] : [{ name: 'Reply-To', value: mail.replyTo.join(', ') }]),
    { name: 'Subject', value: mail.subject },
    { name: 'MIME-Version', value: '1.0' },
  ];
  const tags: Record<string, string[]> = {
    'ses:operation': [sent.operation],
    'ses:configuration-set': [sent.configurationSet],
    'ses:source-ip': [sent.sourceIp],
    'ses:from-domain': [mail.from.domain],
    'ses:caller-identity': [sent.callerIdentity],
  };
  for (const [name, value] of Object.entries(mail.tags)) tags[name] = [value];
  if (delivered) tags['ses:outgoing-ip'] = [sent.outgoingIp];
  return {
    timestamp: iso(sent.at),
    source: from,
    sourceArn: `arn:aws:ses:${sent.region}:${sent.accountId}:identity/${sent.identity}`,
    sendingAccountId: sent.accountId,
    messageId: sent.messageId,
    destination: mail.recipients.map((one) => one.address),
    headersTruncated: false,
    headers,
    commonHeaders: { from: [from], date, to: mail.to, messageId: sent.messageId, subject: mail.subject },
    tags,
  };
}

/** Rendering Failure and DeliveryDelay carry a mail without its headers. */
function withoutHeaders(mail: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mail).filter(([key]) => key !== 'headers' && key !== 'commonHeaders'));
}
