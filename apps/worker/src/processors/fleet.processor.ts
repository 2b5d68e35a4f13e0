import { AccountVerification, confirmSubscription, SubscriptionService, verifyAwsAccount } from '@libs/fleet';
import type { AwsAccountId, SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class FleetProcessor {
  constructor(
    private readonly verification: AccountVerification,
    private readonly subscriptions: SubscriptionService,
  ) {}

  @Processes(verifyAwsAccount, { concurrency: 2 })
  verify({ awsAccountId }: { awsAccountId: AwsAccountId }): Promise<unknown> {
    return this.verification.verify(awsAccountId);
  }

  @Processes(confirmSubscription, { concurrency: 2 })
  confirm(payload: { sendingAccountId: SendingAccountId; topicArn: string; token: string }): Promise<void> {
    return this.subscriptions.confirm(payload.sendingAccountId, payload.topicArn, payload.token);
  }
}
