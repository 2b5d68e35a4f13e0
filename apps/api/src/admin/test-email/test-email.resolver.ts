import type { SendingAccountId } from '@libs/kernel';
import { Args, Context, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { TestEmailService } from './test-email.service';
import { SendTestEmailInput, SendTestEmailPayload, TestEmail } from './test-email.type';

@Resolver(() => TestEmail)
export class TestEmailResolver {
  constructor(
    private readonly tests: TestEmailService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => TestEmail, { nullable: true, description: 'A test message. Null when there is none of this id.' })
  testEmail(
    @Args('id', { type: () => ID, description: 'Public id (msg_...).' }) id: string,
  ): Promise<TestEmail | null> {
    return this.tests.find(uuidOf('message', id));
  }

  @RequiresRole('operator')
  @Mutation(() => SendTestEmailPayload, {
    description:
      "Sends to SES's mailbox simulator through one sending account. Waits up to 20 s for the route to be ready. Green only when the event has come back.",
  })
  sendTestEmail(@Input() input: SendTestEmailInput, @Context() context: AdminRequest): Promise<SendTestEmailPayload> {
    return this.payloads.of<Omit<SendTestEmailPayload, 'userErrors'>>({ testEmail: null }, async () => {
      const sendingAccountId = uuidOf<SendingAccountId>('sendingAccount', input.sendingAccountId);
      return { testEmail: await this.tests.send({ ...input, sendingAccountId }, authorOf(context)) };
    });
  }
}
