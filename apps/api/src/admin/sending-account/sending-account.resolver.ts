import { SendingAccountService } from '@libs/fleet';
import { Args, Context, ID, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { mustLoad } from '../../graphql/loaders';
import { uuidOf } from '../../graphql/public-id';
import { BigIntScalar } from '../../graphql/scalars';
import type { AdminRequest } from '../admin.loaders';
import { AwsAccount } from '../aws-account/aws-account.type';
import { toSendingAccount } from './sending-account.mapping';
import { Lane, SendingAccount, SendingAccountConnection } from './sending-account.type';

@Resolver(() => SendingAccount)
export class SendingAccountResolver {
  constructor(private readonly accounts: SendingAccountService) {}

  @RequiresRole('viewer')
  @Query(() => SendingAccountConnection, {
    description: 'Every sending account with quota, use, rate, state and lanes, oldest first.',
  })
  async sendingAccounts(
    @Args() wish: ForwardPageArgs,
    @Args('tier', { type: () => String, nullable: true, description: 'Of this tier only.' }) tier: string | null,
    @Args('awsAccountId', { type: () => ID, nullable: true, description: 'Of this AWS account only (acc_...).' })
    awsAccountId: string | null,
  ): Promise<Connection<SendingAccount>> {
    const plan = pageRequest(wish, 'oldest-first');
    const page = await this.accounts.list(plan, {
      ...(tier ? { tier } : {}),
      ...(awsAccountId ? { awsAccountId: uuidOf('awsAccount', awsAccountId) } : {}),
    });
    return toConnection(plan, page, (row) => row.id, toSendingAccount);
  }

  @RequiresRole('viewer')
  @Query(() => SendingAccount, {
    nullable: true,
    description: 'One sending account. Null when there is none of this id.',
  })
  sendingAccount(
    @Args('id', { type: () => ID, description: 'Public id (sac_...).' }) id: string,
    @Context() { loaders }: AdminRequest,
  ): Promise<SendingAccount | null> {
    return loaders.sendingAccounts.load(uuidOf('sendingAccount', id));
  }

  @ResolveField(() => AwsAccount, { description: 'The AWS account.' })
  awsAccount(@Parent() account: SendingAccount, @Context() { loaders }: AdminRequest): Promise<AwsAccount> {
    return mustLoad(loaders.awsAccounts, account.awsAccountId);
  }

  @ResolveField(() => [Lane], { description: 'Its routes out.' })
  lanes(@Parent() account: SendingAccount, @Context() { loaders }: AdminRequest): Promise<Lane[]> {
    return loaders.lanesOfAccount.load(account.uuid);
  }

  @ResolveField(() => BigIntScalar, {
    description: 'Recipients of the last 24 hours, the larger of what AWS last said and what was granted here.',
  })
  async used(@Parent() account: SendingAccount, @Context() { loaders }: AdminRequest): Promise<bigint> {
    const granted = await loaders.grantedLast24h.load(account.uuid);
    return granted > account.used ? granted : account.used;
  }
}
