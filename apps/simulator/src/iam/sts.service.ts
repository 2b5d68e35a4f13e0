import type { Clock } from '@libs/kernel';
import { AwsError, validationError } from '../wire/aws.errors';
import { xmlAnswer, xmlElement, type WireAnswer } from '../wire/http.answer';
import { principalNames, refusalOf, uniqueId, type Caller } from './caller.policy';
import { evaluate } from './policy-document.policy';
import type { PrincipalsService } from './principals.service';

export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const CHAINED_LIMIT = 3600;
const MAX_SESSION_POLICY = 2048;

/** STS over its Query protocol: AssumeRole and GetCallerIdentity (aws-facts 8). */
export class StsService {
  constructor(
    private readonly principals: PrincipalsService,
    private readonly clock: Clock,
  ) {}

  handle(action: string, form: URLSearchParams, caller: Caller): WireAnswer {
    switch (action) {
      case 'AssumeRole':
        return this.assumeRole(form, caller);
      case 'GetCallerIdentity':
        return xmlAnswer(
          action,
          STS_NAMESPACE,
          xmlElement('Arn', caller.arn) + xmlElement('UserId', caller.userId) + xmlElement('Account', caller.accountId),
        );
      default:
        throw new AwsError('InvalidAction', 400, `Could not find operation ${action} for version 2011-06-15`);
    }
  }

  private assumeRole(form: URLSearchParams, caller: Caller): WireAnswer {
    const roleArn = form.get('RoleArn') ?? '';
    const sessionName = form.get('RoleSessionName') ?? '';
    const externalId = form.get('ExternalId') ?? undefined;
    const policy = form.get('Policy') ?? undefined;
    if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn)) throw validationError(`${roleArn} is invalid`);
    if (!SESSION_NAME.test(sessionName)) {
      throw validationError(
        `1 validation error detected: Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
      );
    }
    if (externalId !== undefined && !EXTERNAL_ID.test(externalId)) {
      throw validationError(
        `1 validation error detected: Value '${externalId}' at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*`,
      );
    }
    const seconds = this.duration(form, roleArn, caller);
    this.checkSessionPolicy(policy);
    if (!this.trusted(roleArn, sessionName, externalId, caller)) {
      throw new AwsError(
        'AccessDenied',
        403,
        `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      );
    }
    const accountId = roleArn.split(':')[4] ?? '';
    const session = this.principals.openSession({
      roleArn,
      accountId,
      sessionName,
      ...(policy === undefined ? {} : { policy }),
      seconds,
    });
    const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    const credentials =
      xmlElement('AccessKeyId', session.accessKeyId) +
      xmlElement('SecretAccessKey', session.secretAccessKey) +
      xmlElement('SessionToken', session.sessionToken) +
      xmlElement('Expiration', `${new Date(session.expiresAt).toISOString().slice(0, 19)}Z`);
    const user =
      xmlElement('AssumedRoleId', `${uniqueId('AROA', roleArn)}:${sessionName}`) +
      xmlElement('Arn', `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`);
    const packed =
      policy === undefined ? '' : xmlElement('PackedPolicySize', Math.ceil((policy.length / MAX_SESSION_POLICY) * 50));
    return xmlAnswer(
      'AssumeRole',
      STS_NAMESPACE,
      `<Credentials>${credentials}</Credentials><AssumedRoleUser>${user}</AssumedRoleUser>${packed}`,
    );
  }

  private duration(form: URLSearchParams, roleArn: string, caller: Caller): number {
    const text = form.get('DurationSeconds');
    const max = this.principals.findRole(roleArn)?.role.maxSessionDuration ?? CHAINED_LIMIT;
    const seconds = text === null ? Math.min(3600, max) : Number(text);
    if (!Number.isInteger(seconds) || seconds < 900 || seconds > 43_200) {
      const bound = seconds > 43_200 ? 'less than or equal to 43200' : 'greater than or equal to 900';
      throw validationError(
        `1 validation error detected: Value '${text ?? ''}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`,
      );
    }
    if (seconds > max) {
      throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    }
    if (caller.roleArn !== undefined && seconds > CHAINED_LIMIT) {
      throw validationError(
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      );
    }
    return seconds;
  }

  private checkSessionPolicy(policy: string | undefined): void {
    if (policy === undefined) return;
    if (policy.length > MAX_SESSION_POLICY) {
      throw validationError(
        `1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to ${String(MAX_SESSION_POLICY)}`,
      );
    }
    if (this.principals.policyOf(policy) === undefined) {
      throw new AwsError('MalformedPolicyDocument', 400, 'Syntax errors in policy.');
    }
  }

  private trusted(roleArn: string, sessionName: string, externalId: string | undefined, caller: Caller): boolean {
    const found = this.principals.findRole(roleArn);
    const trust = this.principals.policyOf(found?.role.trustPolicy);
    if (found === undefined || trust === undefined) return false;
    const context = {
      'sts:rolesessionname': [sessionName],
      ...(externalId === undefined ? {} : { 'sts:externalid': [externalId] }),
      'aws:principalarn': [caller.roleArn ?? caller.arn],
      'aws:currenttime': [this.clock.now().toISOString()],
    };
    const request = { action: 'sts:AssumeRole', resource: roleArn, context };
    if (refusalOf(caller, request) !== undefined) return false;
    return evaluate([trust], { ...request, principals: { AWS: principalNames(caller) } }) === 'ALLOW';
  }
}
