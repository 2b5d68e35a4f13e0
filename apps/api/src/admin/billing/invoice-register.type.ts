import { Field, ID, ObjectType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime, Decimal } from '../../graphql/scalars';
import { IssuedInvoiceLine } from './invoice.type';

@ObjectType('InvoiceDraft', { description: 'What a tenant will be asked for, as it stands.', ...inAdminSchema })
export class InvoiceDraft {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'The month in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => String, { description: 'Whom it is made out to.' })
  buyer!: string;

  @Field(() => Decimal, { description: 'US dollars to pay.' })
  total!: string;

  @Field(() => DateTime, { description: 'When it was drafted; a later close of the month drafts it anew.' })
  draftedAt!: Date;

  @Field(() => String, { description: 'Where it can be downloaded with the same key; .csv and .json work as well.' })
  pdf!: string;

  @Field(() => [IssuedInvoiceLine], { description: 'Its lines; they add up to the total.' })
  lines!: IssuedInvoiceLine[];
}

export const InvoiceDraftConnection = connectionType<InvoiceDraft>(() => InvoiceDraft, 'InvoiceDraft', inAdminSchema);

@ObjectType('InvoiceProof', {
  description: 'An invoice or credit note, made again just now from what was stored when it was issued.',
  ...inAdminSchema,
})
export class InvoiceProof {
  @Field(() => String, { description: 'Its number.' })
  number!: string;

  @Field(() => ID, { description: 'Its tenant.' })
  tenantId!: string;

  @Field(() => Boolean, { description: 'Both hashes come out as they were stored.' })
  isAsIssued!: boolean;

  @Field(() => String, { description: 'Which version of the rules made it.' })
  rulesVersion!: string;

  @Field(() => String, { description: 'Hash of its input, stored when it was issued.' })
  storedInputHash!: string;

  @Field(() => String, { description: 'Hash of its input, reckoned now.' })
  inputHash!: string;

  @Field(() => String, { description: 'Hash of what it says, stored when it was issued; printed on the PDF.' })
  storedBodyHash!: string;

  @Field(() => String, { description: 'Hash of what it says, reckoned now.' })
  bodyHash!: string;

  @Field(() => String, { description: 'All it is made of, as JSON; its sha-256 is `inputHash`.' })
  input!: string;

  @Field(() => String, { description: 'All it says, as JSON; its sha-256 is `bodyHash`.' })
  body!: string;
}
