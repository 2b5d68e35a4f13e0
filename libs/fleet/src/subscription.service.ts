import { SnsControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { notFound, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository } from './aws-account.repository';
import { manageRole } from './fleet-role.policy';
import { FleetEngineSettings } from './fleet.settings';
import { SendingAccountRepository } from './sending-account.repository';

/** A confirmation came for a topic that is not this sending account's: refused, and nothing is called. */
class ForeignTopic extends Error {
  constructor(topicArn: string) {
    super(`${topicArn} is not the topic of this sending account`);
    this.name = 'ForeignTopic';
  }
}

/** Confirms subscriptions by API with the manage role; the address in a notification is never fetched. Worker only. */
@Injectable()
export class SubscriptionService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly sns: SnsControl,
    private readonly settings: FleetEngineSettings,
  ) {}

  /** @throws DomainError NOT_FOUND, ForeignTopic, or SNS's error */
  async confirm(id: SendingAccountId, topicArn: string, token: string): Promise<void> {
    const { account, owner } = await this.uow.forSystem(async () => {
      const [found] = await this.accounts.findByIds([id]);
      const [awsAccount] = found ? await this.awsAccounts.findByIds([found.awsAccountId]) : [];
      if (!found || !awsAccount) throw notFound('The sending account', ['sendingAccountId']);
      return { account: found, owner: awsAccount };
    });
    if (account.topicArn !== topicArn) throw new ForeignTopic(topicArn);
    const subscriptionArn = await this.sns.for(manageRole(owner, account.region)).confirm(topicArn, token);
    await this.uow.forSystem(() => this.accounts.setSubscription(id, topicArn, subscriptionArn));
  }

  /**
   * Subscribes the webhook for every account whose events go to another address, because PUBLIC_URL has changed, or nowhere,
   * because the confirmation never came: without this, events would be lost in silence. SNS asks for the confirmation
   * anew, through the webhook itself.
   * @throws AggregateError of what went wrong, after every account was tried
   */
  async followAddress(): Promise<void> {
    const url = this.settings.webhookUrl;
    const { accounts, owners } = await this.uow.forSystem(async () => {
      const found = await this.accounts.notSubscribed(url);
      return { accounts: found, owners: await this.awsAccounts.findByIds(found.map((one) => one.awsAccountId)) };
    });
    const failures: unknown[] = [];
    for (const { id, awsAccountId, region, topicArn } of accounts) {
      const owner = owners.find((one) => one.id === awsAccountId);
      if (!owner || topicArn === null) continue;
      try {
        const arn = await this.sns.for(manageRole(owner, region)).subscribe(topicArn, url);
        await this.uow.forSystem(() => this.accounts.setWebhook(id, url, arn ?? null));
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, 'not every topic could be subscribed to the new address');
  }
}
