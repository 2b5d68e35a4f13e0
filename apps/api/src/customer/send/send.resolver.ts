import { AcceptService, type AcceptedEntry, type Submitter } from '@libs/sending';
import type { KeyPrincipal } from '@libs/tenancy';
import { Context, Mutation, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { Input } from '../../graphql/input.decorator';
import { invalidField, Payloads } from '../../graphql/payload';
import type { UserError } from '../../graphql/words.type';
import type { CustomerRequest } from '../customer.loaders';
import { toMessage } from '../message/message.mapping';
import type { Message } from '../message/message.type';
import { SendEmailInput, SendEmailsInput } from './send.input';
import { toEmail, toInputPath } from './send.mapping';
import { SendEmailPayload, SendEmailsPayload } from './send.payload';

@Resolver()
export class SendResolver {
  constructor(
    private readonly accepting: AcceptService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresScope('send')
  @Mutation(() => SendEmailPayload, {
    description: 'Accepts one message. A message in the answer is durable and will be sent or accounted for.',
  })
  sendEmail(@Input() input: SendEmailInput, @Context() context: CustomerRequest): Promise<SendEmailPayload> {
    return this.payloads.of<Omit<SendEmailPayload, 'userErrors'>>({ message: null, replayed: false }, async () => {
      this.refuseOtherKey(input.idempotencyKey, context);
      const call = { ...input, email: toEmail(input.email) };
      const { replayed, result } = await this.accepting.acceptOne(submitter(context.principal), call);
      return { ...this.outcome(result), replayed };
    });
  }

  @RequiresScope('send')
  @Mutation(() => SendEmailsPayload, {
    description:
      'Accepts 1 to 1,000 messages, 20 MB in all. Entries stand alone: valid ones are accepted, `results` says which and why not.',
  })
  sendEmails(@Input() input: SendEmailsInput, @Context() context: CustomerRequest): Promise<SendEmailsPayload> {
    return this.payloads.of<Omit<SendEmailsPayload, 'userErrors'>>({ results: [], replayed: false }, async () => {
      this.refuseOtherKey(input.idempotencyKey, context);
      const call = { ...input, emails: input.emails.map(toEmail) };
      const { replayed, results } = await this.accepting.accept(submitter(context.principal), call);
      return {
        results: results.map((entry, index) => ({ index, ...this.outcome(entry) })),
        replayed,
      };
    });
  }

  private outcome(entry: AcceptedEntry): { message: Message | null; userErrors: UserError[] } {
    if ('message' in entry) return { message: toMessage(entry.message), userErrors: [] };
    return { message: null, userErrors: this.payloads.toUserErrors(entry.issues.map(toInputPath)) };
  }

  /** The header is an alias of the field. Two different keys would leave open which one a retry must repeat. */
  private refuseOtherKey(key: string, { req }: CustomerRequest): void {
    const header = req.get('idempotency-key');
    if (header !== undefined && header !== key) {
      throw invalidField(
        'idempotencyKey',
        'The header Idempotency-Key and input.idempotencyKey differ: give one, or the same twice.',
      );
    }
  }
}

function submitter({ tenantId, mode, keyId }: KeyPrincipal): Submitter {
  return { tenantId, mode, keyId };
}
