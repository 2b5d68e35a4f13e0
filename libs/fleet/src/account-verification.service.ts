import { CredentialCache, SesControl, SnsControl, StsControl, type FleetRole, type SesAccountControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { EngineClock, notFound, type AwsAccountId, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository, type AwsAccount } from './aws-account.repository';
import { EVENT_TOPIC, SET_PATTERN, VERIFY_SESSION } from './aws-names.policy';
import { manageRole, sendRole } from './fleet-role.policy';
import { FleetEngineSettings } from './fleet.settings';
import { LaneDiscovery } from './lane-discovery.service';
import { RouteRepository } from './route.repository';
import { stateAfterObservation, wasRefusedMeanwhile } from './sending-account-state.policy';
import { SendingAccountRepository, type SendingAccount } from './sending-account.repository';
import { verificationFailure, WrongAccount, type VerificationStep } from './verification-failure.policy';

/** Where a verification stands, so that a failure can say what it was doing. */
interface Progress {
  step: VerificationStep;
  role: FleetRole;
  region?: string;
}

/** Told what GetAccount says of a region as soon as it has: what is sent there need not wait for the steps that follow. */
type RegionSeen = (seen: SendingAccount, before: SendingAccount | undefined) => Promise<void>;

/**
 * Checks an account that joins, and sets up what it needs: roles, quota, topic, subscription, pools. Every step may be
 * repeated, so running it again heals an account that failed half way. Worker only.
 */
@Injectable()
export class AccountVerification {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly routes: RouteRepository,
    private readonly discovery: LaneDiscovery,
    private readonly sessions: CredentialCache,
    private readonly sts: StsControl,
    private readonly ses: SesControl,
    private readonly sns: SnsControl,
    private readonly clock: EngineClock,
    private readonly settings: FleetEngineSettings,
  ) {}

  /**
   * Leaves the account ACTIVE, or FAILED with the step and its fix.
   * @throws DomainError NOT_FOUND; AWS's or the network's error when trying again later may help, so that the job does
   */
  async verify(id: AwsAccountId, told: RegionSeen = () => Promise.resolve()): Promise<AwsAccount> {
    const account = await this.load(id);
    const progress: Progress = { step: 'ASSUME_ROLE', role: manageRole(account, account.regions[0] ?? '') };
    try {
      await this.checkRoles(account, progress);
      for (const region of account.regions) await this.setUpRegion(account, region, progress, told);
    } catch (error) {
      const failed = verificationFailure(progress.step, error, {
        roleArn: progress.role.roleArn,
        externalId: account.externalId,
        accountId: account.accountId,
        webhookUrl: this.settings.webhookUrl,
        ...(progress.region === undefined ? {} : { region: progress.region }),
        ...(await this.hubArn(account)),
      });
      await this.uow.forSystem(() => this.awsAccounts.setFailed(id, failed));
      if (failed.transient) throw error;
      return this.load(id);
    }
    await this.uow.forSystem(async () => {
      const now = this.clock.now();
      await this.awsAccounts.setActive(id, now);
      // Who has mended the role has it verified, and need not wait for the next try.
      await this.routes.endDenials(id, now);
    });
    return this.load(id);
  }

  private async checkRoles(account: AwsAccount, progress: Progress): Promise<void> {
    const region = account.regions[0] ?? '';
    const roles = [manageRole(account, region), sendRole(account, region, VERIFY_SESSION)];
    for (const role of roles) {
      progress.step = 'ASSUME_ROLE';
      progress.role = role;
      // A session from before may still work after the trust was taken away: what counts is a new one.
      this.sessions.forget(role);
      const credentials = await this.sts.assume(role);
      progress.step = 'CALLER_IDENTITY';
      const { accountId } = await this.sts.callerIdentity(account.mode, credentials);
      if (accountId !== account.accountId) throw new WrongAccount(account.accountId, accountId);
    }
  }

  private async setUpRegion(account: AwsAccount, region: string, progress: Progress, told: RegionSeen): Promise<void> {
    const role = manageRole(account, region);
    const ses = this.ses.for(role);
    progress.role = role;
    progress.region = region;

    progress.step = 'GET_ACCOUNT';
    const id = await this.observe(account, region, ses, told);

    progress.step = 'TOPIC';
    const sns = this.sns.for(role);
    const topicArn = await sns.ensureTopic(EVENT_TOPIC);
    await sns.openTopicToSes(topicArn, SET_PATTERN);
    // Before Subscribe: SNS asks our webhook for a confirmation at once, and it knows topics by these rows only.
    await this.uow.forSystem(() => this.accounts.setTopic(id, topicArn));

    progress.step = 'SUBSCRIPTION';
    const subscriptionArn = await sns.subscribe(topicArn, this.settings.webhookUrl);
    await this.uow.forSystem(() => this.accounts.setWebhook(id, this.settings.webhookUrl, subscriptionArn ?? null));

    progress.step = 'DEDICATED_IPS';
    await this.discovery.discover(id, ses);
  }

  private async observe(
    account: AwsAccount,
    region: string,
    ses: SesAccountControl,
    told: RegionSeen,
  ): Promise<SendingAccountId> {
    const asked = await this.uow.forSystem(() => this.accounts.findByRegion(account.id, region));
    const snapshot = await ses.getAccount();
    const { seen, before } = await this.uow.forSystem(async () => {
      if (asked) await this.accounts.lock(asked.id);
      const known = await this.accounts.findByRegion(account.id, region);
      const state =
        asked && known && wasRefusedMeanwhile(asked.state, known.state)
          ? known.state
          : stateAfterObservation(known?.state, snapshot, true);
      await this.accounts.save(account, region, snapshot, state, this.clock.now());
      const saved = await this.accounts.findByRegion(account.id, region);
      if (!saved) throw notFound('The sending account', ['sendingAccountId']);
      return { seen: saved, before: known };
    });
    await told(seen, before);
    return seen.id;
  }

  /** Who we are, for the text of a fix; a failure to find out must not hide the failure that is reported. */
  private async hubArn(account: AwsAccount): Promise<{ hubArn?: string }> {
    try {
      return { hubArn: principalOf((await this.sts.hubIdentity(account.mode)).arn) };
    } catch {
      return {};
    }
  }

  private async load(id: AwsAccountId): Promise<AwsAccount> {
    const [account] = await this.uow.forSystem(() => this.awsAccounts.findByIds([id]));
    if (!account) throw notFound('The AWS account', ['awsAccountId']);
    return account;
  }
}

/** What a trust policy names: the role behind an assumed-role session (its path is not in the session's ARN). */
export function principalOf(callerArn: string): string {
  const session = /^arn:aws:sts::([0-9]{12}):assumed-role\/([^/]+)\//.exec(callerArn);
  return session ? `arn:aws:iam::${session[1] ?? ''}:role/${session[2] ?? ''}` : callerArn;
}
