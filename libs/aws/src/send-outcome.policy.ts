/**
 * What an answer to SendEmail means (aws-facts 2.1).
 *
 * Not sent, try later: `rate` (per second), `daily-quota` (24 h window full), `paused` (account), `set-paused`
 * (configuration set), `suspended` (account, for good), `drift` (a set, pool or template is missing), `credentials`
 * (expired or unknown session), `denied` (IAM), `unsent` (nothing ever reached AWS).
 * Not sent, never will be: `identity` (From or sandbox recipient not verified), `rejected` (content), `invalid`.
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
}

interface Facts {
  readonly name: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly message: string;
  readonly status: number | undefined;
}

const THROTTLES = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
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

const BY_NAME: Readonly<Record<string, OutcomeClass>> = {
  AccountSuspendedException: 'suspended',
  MailFromDomainNotVerifiedException: 'identity',
  NotFoundException: 'drift',
  AccessDeniedException: 'denied',
  AccessDenied: 'denied',
  // Too many of a resource exist: waiting does not help, although the SDK counts the name among throttles.
  LimitExceededException: 'invalid',
  BadRequestException: 'invalid',
  ValidationException: 'invalid',
  SerializationException: 'invalid',
};

/** Before a connection stands, nothing can have been sent. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** Refused while shaking hands: the request was not written yet. */
const TLS_REFUSED = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What the failure of a SendEmail call proves about the message. Pure; never throws, whatever it is given. */
export function classifySendError(error: unknown): SendFailure {
  const facts = factsOf(error);
  return {
    kind: kindOf(facts),
    code: facts.code ?? facts.name,
    message: facts.message,
    ...(facts.status === undefined ? {} : { httpStatus: facts.status }),
  };
}

function kindOf(facts: Facts): OutcomeClass {
  if (facts.status === undefined) return withoutAnswer(facts);
  // A gateway's own answer, a time-out, or a success that could not be read: SES may have the message.
  if (facts.status < 400 || facts.status === 408 || facts.status >= 500) return 'in-doubt';
  // AWS's own error always parses; what does not parse was written by something in between.
  if (facts.name === 'SyntaxError') return 'in-doubt';
  return byText(facts) ?? byName(facts) ?? byStatus(facts.status);
}

function withoutAnswer(facts: Facts): OutcomeClass {
  if (facts.name === 'CredentialsProviderError') return 'credentials';
  if (facts.code !== undefined && (NEVER_CONNECTED.has(facts.code) || TLS_REFUSED.has(facts.code))) return 'unsent';
  if (facts.syscall === 'connect' || facts.syscall === 'getaddrinfo') return 'unsent';
  // The SDK's connection time-out has the same name as its request time-out; only the text tells them apart.
  if (facts.name === 'TimeoutError' && facts.message.includes('did not establish a connection')) return 'unsent';
  return 'in-doubt';
}

/** Names differ between documentation and wire, so the texts decide where they are known (aws-facts 2.1). */
function byText({ name, message }: Facts): OutcomeClass | undefined {
  if (/daily (message |sending )?quota/i.test(message)) return 'daily-quota';
  if (/maximum sending rate/i.test(message)) return 'rate';
  if (name === 'SendingPausedException') return /configuration set/i.test(message) ? 'set-paused' : 'paused';
  if (name === 'MessageRejected') return /not verified|failed the check/i.test(message) ? 'identity' : 'rejected';
  if (/(configuration set|pool)\b.*does ?n[o']t exist|invalid sending pool/i.test(message)) return 'drift';
  if (/security token .*(expired|invalid)/i.test(message)) return 'credentials';
  return undefined;
}

function byName({ name }: Facts): OutcomeClass | undefined {
  if (THROTTLES.has(name)) return 'rate';
  if (BAD_SESSION.has(name)) return 'credentials';
  return BY_NAME[name];
}

function byStatus(status: number): OutcomeClass {
  if (status === 429) return 'rate';
  if (status === 401) return 'credentials';
  if (status === 403) return 'denied';
  if (status === 404) return 'drift';
  return 'invalid';
}

function factsOf(error: unknown): Facts {
  if (typeof error !== 'object' || error === null) {
    return { name: 'Unknown', code: undefined, syscall: undefined, message: String(error), status: undefined };
  }
  const read = (key: string): unknown => (key in error ? (error as Readonly<Record<string, unknown>>)[key] : undefined);
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const metadata = read('$metadata');
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return {
    name: text(read('name')) ?? 'Unknown',
    code: text(read('code')),
    syscall: text(read('syscall')),
    message: text(read('message')) ?? '',
    status: typeof status === 'number' ? status : undefined,
  };
}
