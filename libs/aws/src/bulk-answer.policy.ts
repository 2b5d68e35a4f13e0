import { readAnswer, readId, type SendOutcome } from './send-answer.policy';
import { classifyAnswer, type SendFailure } from './send-outcome.policy';

/** What became of each of those that went together, in their order; or of all of them. */
export type BulkOutcome = readonly SendOutcome[] | SendFailure;

/**
 * The statuses of SendBulkEmail's entries that prove something, as the names SendEmail has for the same (aws-facts 1.3). Of the
 * rest (TRANSIENT_FAILURE, FAILED and what is not known yet) it is unknown whether the mail goes.
 */
const NAMES: ReadonlyMap<string, readonly [name: string, message: string]> = new Map([
  ['MESSAGE_REJECTED', ['MessageRejected', 'The message was rejected.']],
  ['MAIL_FROM_DOMAIN_NOT_VERIFIED', ['MailFromDomainNotVerifiedException', 'The MAIL FROM domain is not verified.']],
  ['CONFIGURATION_SET_NOT_FOUND', ['NotFoundException', 'The configuration set does not exist.']],
  ['INVALID_SENDING_POOL_NAME', ['NotFoundException', 'The sending pool does not exist.']],
  ['TEMPLATE_NOT_FOUND', ['BadRequestException', 'The template does not exist.']],
  ['INVALID_PARAMETER', ['BadRequestException', 'A parameter is invalid.']],
  ['ACCOUNT_SUSPENDED', ['AccountSuspendedException', 'Sending is suspended for this account.']],
  ['ACCOUNT_THROTTLED', ['TooManyRequestsException', 'Maximum sending rate exceeded.']],
  ['ACCOUNT_DAILY_QUOTA_EXCEEDED', ['TooManyRequestsException', 'Daily message quota exceeded.']],
  ['ACCOUNT_SENDING_PAUSED', ['SendingPausedException', 'Sending is paused for this account.']],
  [
    'CONFIGURATION_SET_SENDING_PAUSED',
    ['ConfigurationSetSendingPausedException', 'Sending is paused for this configuration set.'],
  ],
]);

const OPERATION = 'SendBulkEmail';
const UNSUPPORTED = /unsupported operation/i;
const SENDING_RATE = /sending rate/i;

/** What SES answered to SendBulkEmail with so many entries. Only an answer that was read to its end is given here. */
export function readBulkAnswer(
  entries: number,
  status: number,
  errorType: string | undefined,
  body: string,
): BulkOutcome {
  if (status < 200 || status >= 300) {
    const refusal = readAnswer(status, errorType, body);
    return refusal.kind === 'sent'
      ? unknown(status, 'NoResults', 'SES gave an answer that contradicts itself.')
      : { ...refusal, operation: OPERATION };
  }
  const results = resultsIn(body);
  if (results?.length !== entries) return unknown(status, 'NoResults', 'SES answered without a result for each entry.');
  return results.map((result) => outcomeOf(result, status));
}

/**
 * Whether a request was refused for what every shared one has, and none of them sent: a role that may not, a template that SES does not
 * take (of those that come with a request it takes "only simple substitutions"), or too many requests to the operation. What is too
 * much for the account SES says entry by entry, and by the words of its sending limits.
 */
export function refusesSharing(outcome: BulkOutcome): outcome is SendFailure {
  if (!('kind' in outcome)) return false;
  const { kind, message } = outcome;
  return (
    kind === 'denied' ||
    (kind === 'invalid' && UNSUPPORTED.test(message)) ||
    (kind === 'rate' && !SENDING_RATE.test(message))
  );
}

function resultsIn(body: string): readonly unknown[] | undefined {
  try {
    const { BulkEmailEntryResults: results } = JSON.parse(body) as { BulkEmailEntryResults?: unknown };
    return Array.isArray(results) ? results : undefined;
  } catch {
    return undefined;
  }
}

function outcomeOf(result: unknown, status: number): SendOutcome {
  const fields = typeof result === 'object' && result !== null ? (result as Readonly<Record<string, unknown>>) : {};
  const { Status: name, Error: text } = fields;
  const sesMessageId = readId(fields);
  if (name === 'SUCCESS') {
    if (sesMessageId !== undefined) return { kind: 'sent', sesMessageId };
    return unknown(status, 'NoMessageId', 'SES answered without a message id.');
  }
  const known = typeof name === 'string' ? NAMES.get(name) : undefined;
  const said = typeof text === 'string' && text !== '' ? text : undefined;
  if (known === undefined) {
    const code = typeof name === 'string' && /^\w{1,100}$/.test(name) ? name : 'NoStatus';
    return unknown(status, code, said ?? 'SES did not say whether it took the message.');
  }
  const [code, message] = known;
  // The text decides where it is known; what it says in other words is what the status says.
  const byStatus = classifyAnswer({ status: 400, name: code, message, readable: true });
  const byText = classifyAnswer({ status: 400, name: code, message: said ?? message, readable: true });
  return {
    ...byStatus,
    kind: name === 'MESSAGE_REJECTED' ? byText.kind : byStatus.kind,
    message: said ?? message,
    operation: OPERATION,
  };
}

function unknown(httpStatus: number, code: string, message: string): SendFailure {
  return { kind: 'in-doubt', code, message, httpStatus };
}
