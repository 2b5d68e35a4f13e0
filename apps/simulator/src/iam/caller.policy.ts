import { createHash } from 'node:crypto';
import { evaluate, type AccessRequest, type Decision, type PolicyDocument } from './policy-document.policy';

/** Who signed a request, and what they may do. */
export interface Caller {
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  /** What SES shows as `ses:caller-identity`: the role, or the user. */
  readonly identityName: string;
  /** Set for a session: its role, which is the principal that trust policies name. */
  readonly roleArn?: string;
  readonly identityPolicies: readonly PolicyDocument[];
  readonly sessionPolicy?: PolicyDocument;
  readonly admin: boolean;
}

export interface Refusal {
  readonly decision: Exclude<Decision, 'ALLOW'>;
  readonly by: 'identity-based' | 'session';
}

/** Identity policies intersected with the session policy (aws-facts 8); undefined when allowed. */
export function refusalOf(caller: Caller, request: AccessRequest): Refusal | undefined {
  const identity = caller.admin ? 'ALLOW' : evaluate(caller.identityPolicies, request);
  if (identity !== 'ALLOW') return { decision: identity, by: 'identity-based' };
  if (caller.sessionPolicy === undefined) return undefined;
  const session = evaluate([caller.sessionPolicy], request);
  return session === 'ALLOW' ? undefined : { decision: session, by: 'session' };
}

/** AWS's wording of a refusal. */
export function refusalText(caller: Caller, request: AccessRequest, refusal: Refusal): string {
  const base = `User: ${caller.arn} is not authorized to perform: ${request.action} on resource: ${request.resource}`;
  return refusal.decision === 'EXPLICIT_DENY'
    ? `${base} with an explicit deny in ${refusal.by === 'session' ? 'a session' : 'an identity-based'} policy`
    : `${base} because no ${refusal.by} policy allows the ${request.action} action`;
}

/** The names a principal answers to in a trust policy: itself, its role, its account, and the account's root. */
export function principalNames(caller: Caller): string[] {
  const own = caller.roleArn === undefined ? [caller.arn] : [caller.arn, caller.roleArn];
  return [...own, `arn:aws:iam::${caller.accountId}:root`, caller.accountId];
}

/** The unique id IAM would give this role or user: derived, so that it stays the same over restarts. */
export function uniqueId(prefix: 'AROA' | 'AIDA', name: string): string {
  return `${prefix}${createHash('sha256').update(name).digest('hex').toUpperCase().slice(0, 17)}`;
}
