/** The steps by which an account joins, in order. */
export type VerificationStep =
  'ASSUME_ROLE' | 'CALLER_IDENTITY' | 'GET_ACCOUNT' | 'TOPIC' | 'SUBSCRIPTION' | 'DEDICATED_IPS';

/** What failed, in AWS's words, and what to do about it, in ours. */
export interface VerificationFailure {
  readonly step: VerificationStep;
  readonly failure: string;
  readonly fix: string;
  /** True when the same attempt may succeed a little later without anybody doing anything. */
  readonly transient: boolean;
}

export interface FailureFacts {
  readonly roleArn: string;
  readonly externalId: string;
  readonly accountId: string;
  readonly region?: string;
  /** Who we are in AWS; unknown when even that could not be asked. */
  readonly hubArn?: string;
  readonly webhookUrl: string;
}

const DENIED =
  /^(AccessDenied|AccessDeniedException|AuthorizationError|AuthorizationErrorException|UnauthorizedException)$/;
const OUR_KEYS =
  /^(InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|ExpiredToken|ExpiredTokenException|CredentialsProviderError)$/;

/** SES and the Query services throttle with HTTP 400, by one of these names (aws-facts 1.1, 2.1). */
const THROTTLED = /Throttl|^TooManyRequests|^RequestLimitExceeded$/;

export function verificationFailure(step: VerificationStep, error: unknown, facts: FailureFacts): VerificationFailure {
  const { name, message, status } = read(error);
  const where = facts.region === undefined ? '' : ` in ${facts.region}`;
  const detail = `${name}: ${message}`;
  if (name === 'TestModeOff') return { step, failure: message, fix: 'Then verify again.', transient: false };
  if (status === undefined && name !== 'CredentialsProviderError' && !(error instanceof WrongAccount)) {
    return {
      step,
      failure: `AWS could not be reached${where}: ${detail}`,
      fix: 'It is tried again by itself. If it stays, check this worker’s network and AWS_ENDPOINT_URL.',
      transient: true,
    };
  }
  if (status !== undefined && (status >= 500 || status === 429 || THROTTLED.test(name))) {
    return {
      step,
      failure: `AWS answered ${status}${where}: ${detail}`,
      fix: 'It is tried again by itself.',
      transient: true,
    };
  }
  return { step, failure: failureText(step, facts, where, detail), fix: fixText(step, name, facts), transient: false };
}

function failureText(step: VerificationStep, facts: FailureFacts, where: string, detail: string): string {
  const what = {
    ASSUME_ROLE: `The role ${facts.roleArn} cannot be assumed`,
    CALLER_IDENTITY: `The session of ${facts.roleArn} is not what was expected`,
    GET_ACCOUNT: `Amazon SES cannot be read${where}`,
    TOPIC: `The topic for events cannot be set up${where}`,
    SUBSCRIPTION: `${facts.webhookUrl} cannot be subscribed to the events${where}`,
    DEDICATED_IPS: `Dedicated IPs and pools cannot be read or set up${where}`,
  } satisfies Record<VerificationStep, string>;
  return `${what[step]}: ${detail}`;
}

function fixText(step: VerificationStep, name: string, facts: FailureFacts): string {
  if (OUR_KEYS.test(name)) {
    return 'The credentials of the Postfleet worker itself are refused: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or its instance role, then verify again.';
  }
  const us = facts.hubArn ?? 'the principal of the Postfleet worker';
  if (step === 'ASSUME_ROLE') {
    return (
      `Check that the role exists in account ${facts.accountId} and that its trust policy names ${us} ` +
      `with external id ${facts.externalId} and session names pf-*. The account's role templates have the exact text. Then verify again.`
    );
  }
  if (step === 'CALLER_IDENTITY') return `Give the role ARNs of account ${facts.accountId} and register it again.`;
  if (DENIED.test(name)) {
    return 'The manage role lacks a permission: compare it with the account’s role templates, then verify again.';
  }
  if (step === 'SUBSCRIPTION') {
    return 'Check PUBLIC_URL of the worker: Amazon SNS must be able to reach it over the internet. Then verify again.';
  }
  return 'Mend what AWS says above, then verify again.';
}

/** A session turned out to belong to another account than the one that is joining. */
export class WrongAccount extends Error {
  constructor(expected: string, found: string) {
    super(`expected account ${expected}, found ${found === '' ? 'none' : found}`);
    this.name = 'WrongAccount';
  }
}

function read(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined };
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: unknown }) : {};
  const status = typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
  const code = 'code' in error && typeof error.code === 'string' && status === undefined ? error.code : error.name;
  return { name: code, message: error.message, status };
}
