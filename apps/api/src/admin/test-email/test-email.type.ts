import { Field, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime, EmailAddress } from '../../graphql/scalars';
import { enumOf, UserError } from '../../graphql/words.type';

export const TEST_MAILBOXES = ['SUCCESS', 'BOUNCE', 'COMPLAINT'] as const;
export type TestMailbox = (typeof TEST_MAILBOXES)[number];
const TestMailboxEnum = enumOf(TEST_MAILBOXES);
registerEnumType(TestMailboxEnum, {
  name: 'TestMailbox',
  description: "Which of the SES mailbox simulator's addresses gets the test.",
  valuesMap: {
    SUCCESS: { description: 'success@simulator.amazonses.com: a delivery must come back.' },
    BOUNCE: { description: 'bounce@simulator.amazonses.com: a bounce must come back.' },
    COMPLAINT: { description: 'complaint@simulator.amazonses.com: a complaint must come back.' },
  },
  ...inAdminSchema,
});

export const TEST_EMAIL_STATES = ['PENDING', 'PASSED', 'FAILED'] as const;
export type TestEmailState = (typeof TEST_EMAIL_STATES)[number];
const TestEmailStateEnum = enumOf(TEST_EMAIL_STATES);
registerEnumType(TestEmailStateEnum, {
  name: 'TestEmailState',
  description: 'Whether the round trip is proven.',
  valuesMap: {
    PENDING: { description: 'Not sent yet, or its event has not come back yet.' },
    PASSED: { description: 'The expected event came back through SNS.' },
    FAILED: { description: 'It was refused, or another event came back.' },
  },
  ...inAdminSchema,
});

@ObjectType('TestEmail', {
  description: 'A test of the whole way: role, sending, topic, webhook, timeline.',
  ...inAdminSchema,
})
export class TestEmail {
  @Field(() => ID, { description: 'Public id (msg_...) to ask for it again.' })
  id!: string;

  @Field(() => TestEmailStateEnum, { description: 'Whether the round trip is proven.' })
  state!: TestEmailState;

  @Field(() => String, { description: 'What it waits for, or what happened, in a sentence.' })
  detail!: string;

  @Field(() => EmailAddress, { description: 'Where it goes.' })
  to!: string;

  @Field(() => DateTime, { description: 'When it was accepted.' })
  createdAt!: Date;
}

@InputType('SendTestEmailInput', { description: 'A test message through one sending account.', ...inAdminSchema })
export class SendTestEmailInput {
  @Field(() => ID, { description: 'The sending account to test.' })
  sendingAccountId!: string;

  @Field(() => EmailAddress, {
    description: 'A sender at a domain that is verified on that AWS account and that no tenant owns.',
  })
  from!: string;

  @Field(() => TestMailboxEnum, { defaultValue: 'SUCCESS', description: 'Which outcome to expect.' })
  mailbox!: TestMailbox;
}

@ObjectType('SendTestEmailPayload', { description: 'The test that was started.', ...inAdminSchema })
export class SendTestEmailPayload {
  @Field(() => TestEmail, {
    nullable: true,
    description: 'Ask `testEmail(id)` until it is PASSED or FAILED. Null when it was refused.',
  })
  testEmail!: TestEmail | null;

  @Field(() => [UserError], { description: 'What is wrong with the input.' })
  userErrors!: UserError[];
}
