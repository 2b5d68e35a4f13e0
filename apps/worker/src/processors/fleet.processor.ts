import { AccountVerification, confirmSubscription, SubscriptionService, verifyAwsAccount } from '@libs/fleet';
import type { AwsAccountId, SendingAccountId } from '@libs/kernel';
import { SendEngine } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class FleetProcessor {
  constructor(
    private readonly verification: AccountVerification,
    private readonly subscriptions: SubscriptionService,
    private readonly engine: SendEngine,
  ) {}

  @Processes(verifyAwsAccount, { concurrency: 2 })
  async verify({ awsAccountId }: { awsAccountId: AwsAccountId }): Promise<void> {
    // Mail that waited for this goes now: neither after the steps that follow, nor at the next look at all accounts.
    const { state } = await this.verification.verify(awsAccountId, (seen, before) =>
      this.engine.accountSeen(seen, before),
    );
    if (state === 'ACTIVE') await this.engine.accountVerified(awsAccountId);
  }

  @Processes(confirmSubscription, { concurrency: 2 })
  confirm(payload: { sendingAccountId: SendingAccountId; topicArn: string; token: string }): Promise<void> {
    return this.subscriptions.confirm(payload.sendingAccountId, payload.topicArn, payload.token);
  }
}
