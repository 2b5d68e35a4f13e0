import { randomBytes } from 'node:crypto';
import type { Clock } from '@libs/kernel';
import type { AccountState, RoleState, SessionState, UserState } from '../state/simulator.state';
import type { StateStore } from '../state/state.store';
import { AwsError } from '../wire/aws.errors';
import type { WireRequest } from '../wire/http.request';
import { verifySignature, type SignedScope } from '../wire/sigv4.policy';
import { uniqueId, type Caller } from './caller.policy';
import { parsePolicy, type PolicyDocument } from './policy-document.policy';

/** Finds who signed a request, and refuses it as AWS does when nobody did. */
export class PrincipalsService {
  private readonly parsed = new Map<string, PolicyDocument>();

  constructor(
    private readonly store: StateStore,
    /** Real time: sessions expire by it. */
    private readonly clock: Clock,
  ) {}

  authenticate(request: WireRequest, scope: SignedScope): Caller {
    const session = this.store.state.sessions.get(scope.accessKeyId);
    const token = request.headers['x-amz-security-token'];
    if (session !== undefined) {
      if (token !== session.sessionToken) throw unknownCredentials(scope.service);
      verifySignature(request, scope, session.secretAccessKey, this.clock.nowMs());
      if (session.expiresAt <= this.clock.nowMs()) throw expiredCredentials(scope.service);
      return this.sessionCaller(session, scope.service);
    }
    const found = this.userOf(scope.accessKeyId);
    if (found === undefined || token !== undefined) throw unknownCredentials(scope.service);
    verifySignature(request, scope, found.user.secretAccessKey, this.clock.nowMs());
    return this.userCaller(found.account, found.user);
  }

  findRole(arn: string): { account: AccountState; role: RoleState } | undefined {
    const account = this.store.state.accounts.get(arn.split(':')[4] ?? '');
    const role = account?.roles.get(arn);
    return account !== undefined && role !== undefined ? { account, role } : undefined;
  }

  openSession(input: {
    roleArn: string;
    accountId: string;
    sessionName: string;
    policy?: string;
    seconds: number;
  }): SessionState {
    this.dropExpired();
    const session: SessionState = {
      accessKeyId: `ASIA${randomKeyId()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(180).toString('base64')}`,
      roleArn: input.roleArn,
      accountId: input.accountId,
      sessionName: input.sessionName,
      policy: input.policy,
      expiresAt: this.clock.nowMs() + input.seconds * 1000,
    };
    this.store.state.sessions.set(session.accessKeyId, session);
    this.store.touch();
    return session;
  }

  policyOf(text: string | undefined): PolicyDocument | undefined {
    if (text === undefined) return undefined;
    const known = this.parsed.get(text);
    if (known !== undefined) return known;
    const policy = parsePolicy(text);
    if (policy !== undefined) {
      if (this.parsed.size > 2000) this.parsed.clear();
      this.parsed.set(text, policy);
    }
    return policy;
  }

  private sessionCaller(session: SessionState, service: string): Caller {
    const found = this.findRole(session.roleArn);
    // A role that was deleted takes its sessions along.
    if (found === undefined) throw unknownCredentials(service);
    const roleName = session.roleArn.slice(session.roleArn.lastIndexOf('/') + 1);
    const permission = this.policyOf(found.role.permissionPolicy);
    const sessionPolicy = this.policyOf(session.policy);
    return {
      accountId: session.accountId,
      arn: `arn:aws:sts::${session.accountId}:assumed-role/${roleName}/${session.sessionName}`,
      userId: `${uniqueId('AROA', session.roleArn)}:${session.sessionName}`,
      identityName: roleName,
      roleArn: session.roleArn,
      identityPolicies: permission === undefined ? [] : [permission],
      ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
      admin: false,
    };
  }

  private userCaller(account: AccountState, user: UserState): Caller {
    const policy = this.policyOf(user.policy);
    return {
      accountId: account.id,
      arn: `arn:aws:iam::${account.id}:user/${user.userName}`,
      userId: uniqueId('AIDA', user.accessKeyId),
      identityName: user.userName,
      identityPolicies: policy === undefined ? [] : [policy],
      admin: user.admin,
    };
  }

  private userOf(accessKeyId: string): { account: AccountState; user: UserState } | undefined {
    for (const account of this.store.state.accounts.values()) {
      const user = account.users.get(accessKeyId);
      if (user !== undefined) return { account, user };
    }
    return undefined;
  }

  /** Long-expired sessions are forgotten; recent ones stay so that they are answered ExpiredToken, as at AWS. */
  private dropExpired(): void {
    const limit = this.clock.nowMs() - 86_400_000;
    for (const [key, session] of this.store.state.sessions) {
      if (session.expiresAt < limit) this.store.state.sessions.delete(key);
    }
  }
}

function randomKeyId(): string {
  return [...randomBytes(16)].map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('');
}

function unknownCredentials(service: string): AwsError {
  const name = service === 'sts' || service === 'sns' ? 'InvalidClientTokenId' : 'UnrecognizedClientException';
  return new AwsError(name, 403, 'The security token included in the request is invalid.');
}

function expiredCredentials(service: string): AwsError {
  const name = service === 'sts' || service === 'sns' ? 'ExpiredToken' : 'ExpiredTokenException';
  return new AwsError(name, 403, 'The security token included in the request is expired');
}
