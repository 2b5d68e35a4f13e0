/**
 * What an answer to SendEmail means (aws-facts 2.1).
 *
 * Not sent, try later: `rate` (per second), `daily-quota` (24 h window full), `paused` (account), `set-paused`
 * (configuration set), `suspended` (account, for good), `drift` (a set, pool or template is missing), `credentials`
 * (expired or unknown session), `denied` (IAM), `identity` (From or sandbox recipient not verified), `unsent` (nothing ever
 * reached AWS).
 * Not sent, never will be: `rejected` (content), `invalid`.
 * Unknown: `in-doubt`. Everything that is not proven otherwise is in doubt, because SendEmail has no idempotency.
 */
export type OutcomeClass =
  | 'rate'
  | 'daily-quota'
  | 'paused'
  | 'set-paused'
  | 'suspended'
  | 'identity'
  | 'drift'
  | 'credentials'
  | 'denied'
  | 'rejected'
  | 'invalid'
  | 'unsent'
  | 'in-doubt';

export interface SendFailure {
  readonly kind: OutcomeClass;
  /** AWS's error name, or the network error's code. */
  readonly code: string;
  readonly message: string;
  readonly httpStatus?: number;
  /** What SES was asked for; left out where that was SendEmail. */
  readonly operation?: 'SendBulkEmail';
}

/** An answer of SES that is no success. */
export interface RefusedAnswer {
  readonly status: number;
  /** AWS's name of the error, empty when the answer has none. */
  readonly name: string;
  readonly message: string;
  /** Whether the body was what AWS writes. */
  readonly readable: boolean;
}

const THROTTLES = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'SlowDown',
  'BandwidthLimitExceeded',
]);

const PAUSES = new Set([
  'SendingPausedException',
  'AccountSendingPausedException',
  'ConfigurationSetSendingPausedException',
]);

const BAD_SESSION = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'RequestTimeTooSkewed',
]);

const BY_NAME: ReadonlyMap<string, OutcomeClass> = new Map([
  ['AccountSuspendedException', 'suspended'],
  ['MailFromDomainNotVerifiedException', 'identity'],
  ['NotFoundException', 'drift'],
  ['AccessDeniedException', 'denied'],
  ['AccessDenied', 'denied'],
  // AWS gave up on the request, whatever status it says so with.
  ['RequestTimeout', 'in-doubt'],
  ['RequestTimeoutException', 'in-doubt'],
  ['InternalFailure', 'in-doubt'],
  ['InternalServerException', 'in-doubt'],
  ['ServiceUnavailable', 'in-doubt'],
  ['ServiceUnavailableException', 'in-doubt'],
  // Too many of a resource exist: waiting does not help, although the SDK counts the name among throttles.
  ['LimitExceededException', 'invalid'],
  ['BadRequestException', 'invalid'],
  ['ValidationException', 'invalid'],
  ['SerializationException', 'invalid'],
]);

/** What an answer that is no success proves about the message. */
export function classifyAnswer(answer: RefusedAnswer): SendFailure {
  return {
    kind: kindOf(answer),
    code: answer.name === '' ? `HTTP${String(answer.status)}` : answer.name,
    message: answer.message,
    httpStatus: answer.status,
  };
}

/**
 * What a request that ended without an answer proves. Only one thing counts: whether its first byte may have been
 * written. Codes and texts of network errors say nothing certain about that.
 */
export function classifyBreak(error: unknown, written: boolean): SendFailure {
  return { kind: written ? 'in-doubt' : 'unsent', ...faultOf(error) };
}

/** Why STS gives no session, whenever it is asked: until somebody mends the role, its policy or the region. */
const NO_SESSION = /^(AccessDenied|MalformedPolicyDocument|PackedPolicyTooLarge|RegionDisabled)(Exception)?$/;

/**
 * What it means when there is no session to send with: a role that may not be taken on, or not with the tenant's policy,
 * stays so until somebody mends it, and is that tenant's trouble alone; everything else passes.
 */
export function classifySession(error: unknown): SendFailure {
  const fault = faultOf(error);
  return { kind: NO_SESSION.test(fault.code) ? 'denied' : 'credentials', ...fault };
}

/** Code and text of anything that can be thrown. */
export function faultOf(error: unknown): { readonly code: string; readonly message: string } {
  const facts: { readonly code?: unknown; readonly name?: unknown; readonly message?: unknown } =
    typeof error === 'object' && error !== null ? error : { message: error };
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const code = text(facts.code) ?? text(facts.name) ?? 'Unknown';
  // When all addresses of a host failed, the error that says so has no text of its own.
  return { code, message: text(facts.message) ?? code };
}

function kindOf(answer: RefusedAnswer): OutcomeClass {
  // A gateway's own answer, a time-out, or a success that could not be read: SES may have the message.
  if (answer.status < 400 || answer.status === 408 || answer.status >= 500) return 'in-doubt';
  // AWS's own error always parses; what does not parse was written by something in between.
  if (!answer.readable) return 'in-doubt';
  return byText(answer) ?? byName(answer) ?? byStatus(answer);
}

/** Names differ between documentation and wire, so the texts decide where they are known (aws-facts 2.1). */
function byText({ name, message }: RefusedAnswer): OutcomeClass | undefined {
  if (/daily (message |sending )?quota/i.test(message)) return 'daily-quota';
  if (/maximum sending rate/i.test(message)) return 'rate';
  const isRejected = name === 'MessageRejected';
  if (isRejected && /not verified|failed the check/i.test(message)) return 'identity';
  // SES's older interfaces say a pause as a rejection: taken for one, it would end everything that waits.
  if (PAUSES.has(name) || (isRejected && /\bsending\b.*\b(paused|suspended|disabled)\b/i.test(message))) {
    return /configuration ?set/i.test(`${name} ${message}`) ? 'set-paused' : 'paused';
  }
  if (isRejected) return 'rejected';
  if (/(configuration set|pool)\b.*does ?n[o']t exist|invalid sending pool/i.test(message)) return 'drift';
  if (/security token .*(expired|invalid)/i.test(message)) return 'credentials';
  return undefined;
}

function byName({ name }: RefusedAnswer): OutcomeClass | undefined {
  if (THROTTLES.has(name)) return 'rate';
  if (BAD_SESSION.has(name)) return 'credentials';
  return BY_NAME.get(name);
}

function byStatus({ status, name }: RefusedAnswer): OutcomeClass {
  if (status === 429) return 'rate';
  if (status === 401) return 'credentials';
  if (status === 403) return 'denied';
  if (status === 404) return 'drift';
  // AWS names its errors: what has no name was written by something in between, and proves nothing.
  return name === '' ? 'in-doubt' : 'invalid';
}
