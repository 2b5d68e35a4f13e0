import { SnsControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { notFound, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository } from './aws-account.repository';
import { manageRole } from './fleet-role.policy';
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
}
