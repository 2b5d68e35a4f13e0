import type { InDoubtPolicy, Stream } from '@libs/kernel';
import { Field, InputType } from '@nestjs/graphql';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime, EmailAddress } from '../../graphql/scalars';
import { InDoubtPolicyEnum, StreamEnum } from '../../graphql/words.type';
import { TagInput } from '../message/message.input';

@InputType('AddressInput', { description: 'A bare address, with its display name beside it.', ...inCustomerSchema })
export class AddressInput {
  @Field(() => EmailAddress, { description: 'For example "ann@example.com".' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'Display name: no line breaks or control characters.' })
  name?: string | null;
}

@InputType('InlineContentInput', {
  description: 'Content written out. One of `html` and `text` at least.',
  ...inCustomerSchema,
})
export class InlineContentInput {
  @Field(() => String, { description: '1 to 998 characters, no line breaks or control characters.' })
  subject!: string;

  @Field(() => String, { nullable: true, description: 'The HTML part.' })
  html?: string | null;

  @Field(() => String, { nullable: true, description: 'The plain text part.' })
  text?: string | null;
}

@InputType('RawContentInput', { description: 'A finished MIME message.', ...inCustomerSchema })
export class RawContentInput {
  @Field(() => String, { description: 'The whole message, headers first, its From equal to `from`. At most 10 MB.' })
  mime!: string;
}

@InputType('ContentInput', {
  description: 'Exactly one way of giving the content.',
  isOneOf: true,
  ...inCustomerSchema,
})
export class ContentInput {
  @Field(() => InlineContentInput, { nullable: true, description: 'Subject, HTML and text.' })
  inline?: InlineContentInput | null;

  @Field(() => RawContentInput, { nullable: true, description: 'A finished MIME message.' })
  raw?: RawContentInput | null;
}

@InputType('AttachmentSourceInput', {
  description: 'Exactly one way of giving the bytes.',
  isOneOf: true,
  ...inCustomerSchema,
})
export class AttachmentSourceInput {
  @Field(() => String, {
    nullable: true,
    description: 'Base 64. All attachments of one call together at most 1 MB after decoding.',
  })
  base64?: string | null;
}

@InputType('AttachmentInput', { description: 'A file that goes with the message.', ...inCustomerSchema })
export class AttachmentInput {
  @Field(() => String, { description: 'Its name as the recipient sees it.' })
  filename!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Its media type, at most 78 characters; found from the ending of the name when not given.',
  })
  contentType?: string | null;

  @Field(() => AttachmentSourceInput, { description: 'Its bytes.' })
  source!: AttachmentSourceInput;

  @Field(() => String, {
    nullable: true,
    description: 'For images inside the HTML: "logo" is found by src="cid:logo". At most 78 characters.',
  })
  contentId?: string | null;
}

@InputType('HeaderInput', {
  description: 'A further header: X-*, List-*, References or In-Reply-To.',
  ...inCustomerSchema,
})
export class HeaderInput {
  @Field(() => String, { description: 'Its name. Headers that Postfleet or SES write are refused.' })
  name!: string;

  @Field(() => String, { description: 'Its value: 1 character at least, no line breaks or control characters.' })
  value!: string;
}

@InputType('EmailInput', {
  description: 'One e-mail. To, Cc and Bcc together: 1 to 50 recipients. At most 10 MB.',
  ...inCustomerSchema,
})
export class EmailInput {
  @Field(() => AddressInput, { description: 'At or below a domain of yours that is ready.' })
  from!: AddressInput;

  @Field(() => [AddressInput], { description: 'At least one.' })
  to!: AddressInput[];

  @Field(() => [AddressInput], { nullable: true, description: 'Copies.' })
  cc?: AddressInput[] | null;

  @Field(() => [AddressInput], { nullable: true, description: 'Blind copies.' })
  bcc?: AddressInput[] | null;

  @Field(() => [AddressInput], { nullable: true, description: 'Where answers go.' })
  replyTo?: AddressInput[] | null;

  @Field(() => ContentInput, { description: 'Exactly one kind of content.' })
  content!: ContentInput;

  @Field(() => StreamEnum, { defaultValue: 'TRANSACTIONAL', description: 'A stream that your plan has.' })
  stream!: Stream;

  @Field(() => [HeaderInput], { nullable: true, description: 'Further headers.' })
  headers?: HeaderInput[] | null;

  @Field(() => [AttachmentInput], { nullable: true, description: 'Files. Inline content only.' })
  attachments?: AttachmentInput[] | null;

  @Field(() => [TagInput], { nullable: true, description: 'Tags to find it by.' })
  tags?: TagInput[] | null;

  @Field(() => String, { nullable: true, description: "us, eu, apac or an AWS region; default: the tenant's rule." })
  region?: string | null;

  @Field(() => InDoubtPolicyEnum, {
    nullable: true,
    description:
      "What becomes of it when the answer to sending it gets lost. Default: the plan's policy for its stream.",
  })
  inDoubtPolicy?: InDoubtPolicy | null;

  @Field(() => DateTime, { nullable: true, description: 'Not before this; at most 30 days ahead.' })
  scheduledAt?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Not after this; an expired message is not sent and says so.' })
  expiresAt?: Date | null;
}

const KEY_HELP =
  '1 to 255 printable ASCII characters, the first of them no space. The same key with the same content answers the first result again; with other content it is refused. Kept 72 hours. The header Idempotency-Key is an alias: when given, it must be equal.';

@InputType('SendEmailInput', { description: 'One message to send.', ...inCustomerSchema })
export class SendEmailInput {
  @Field(() => String, { description: KEY_HELP })
  idempotencyKey!: string;

  @Field(() => EmailInput, { description: 'The message.' })
  email!: EmailInput;

  @Field(() => Boolean, { defaultValue: false, description: 'Check everything, write and send nothing.' })
  dryRun!: boolean;
}

@InputType('SendEmailsInput', { description: '1 to 1,000 messages to send, 20 MB in all.', ...inCustomerSchema })
export class SendEmailsInput {
  @Field(() => String, { description: KEY_HELP })
  idempotencyKey!: string;

  @Field(() => [EmailInput], { description: '1 to 1,000 messages; each stands alone.' })
  emails!: EmailInput[];

  @Field(() => Boolean, { defaultValue: false, description: 'Check everything, write and send nothing.' })
  dryRun!: boolean;
}
