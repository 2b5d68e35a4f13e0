import { AwsAccountService } from '@libs/fleet';
import type { AwsAccountId } from '@libs/kernel';
import { Args, Context, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { Input } from '../../graphql/input.decorator';
import { Payloads, renamed } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { toAwsAccount } from './aws-account.mapping';
import {
  AwsAccount,
  AwsAccountConnection,
  RegisterAwsAccountInput,
  RegisterAwsAccountPayload,
  RetryAwsAccountVerificationInput,
  RetryAwsAccountVerificationPayload,
  RoleTemplates,
} from './aws-account.type';

@Resolver(() => AwsAccount)
export class AwsAccountResolver {
  constructor(
    private readonly accounts: AwsAccountService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => AwsAccountConnection, { description: 'Every AWS account of the fleet, oldest first.' })
  async awsAccounts(@Args() wish: ForwardPageArgs): Promise<Connection<AwsAccount>> {
    const plan = pageRequest(wish, 'oldest-first');
    return toConnection(plan, await this.accounts.list(plan), (row) => row.id, toAwsAccount);
  }

  @RequiresRole('viewer')
  @Query(() => AwsAccount, { nullable: true, description: 'One AWS account. Null when there is none of this id.' })
  awsAccount(
    @Args('id', { type: () => ID, description: 'Public id (acc_...).' }) id: string,
    @Context() { loaders }: AdminRequest,
  ): Promise<AwsAccount | null> {
    return loaders.awsAccounts.load(uuidOf('awsAccount', id));
  }

  @RequiresRole('owner')
  @Mutation(() => RegisterAwsAccountPayload, {
    description:
      'Takes an AWS account in. Answers at once; the worker checks roles, quota, pools and topic and fills in the rest.',
  })
  registerAwsAccount(
    @Input() input: RegisterAwsAccountInput,
    @Context() context: AdminRequest,
  ): Promise<RegisterAwsAccountPayload> {
    return this.payloads.of<Omit<RegisterAwsAccountPayload, 'userErrors'>>({ awsAccount: null }, async () => {
      const { sendRoleArn, manageRoleArn, ...rest } = input;
      const wanted = {
        ...rest,
        ...(sendRoleArn ? { sendRoleArn } : {}),
        ...(manageRoleArn ? { manageRoleArn } : {}),
      };
      return { awsAccount: toAwsAccount(await this.accounts.register(wanted, authorOf(context))) };
    });
  }

  @RequiresRole('operator')
  @Mutation(() => RetryAwsAccountVerificationPayload, {
    description: 'Checks an account again, after its roles were corrected for example.',
  })
  retryAwsAccountVerification(
    @Input() input: RetryAwsAccountVerificationInput,
    @Context() context: AdminRequest,
  ): Promise<RetryAwsAccountVerificationPayload> {
    return this.payloads.of<Omit<RetryAwsAccountVerificationPayload, 'userErrors'>>({ awsAccount: null }, async () => {
      const id = uuidOf<AwsAccountId>('awsAccount', input.id);
      return {
        awsAccount: toAwsAccount(await renamed(['awsAccountId'], ['id'], this.accounts.retry(id, authorOf(context)))),
      };
    });
  }

  @ResolveField(() => RoleTemplates, { description: 'What to apply in the account before or after registering it.' })
  roleTemplates(@Parent() account: AwsAccount): Promise<RoleTemplates> {
    return this.accounts.roleTemplates(account.uuid as AwsAccountId);
  }
}
