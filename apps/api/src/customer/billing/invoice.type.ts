import { Field, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inCustomerSchema } from '../../graphql/endpoint.schema';
import { DateTime, Decimal, Url } from '../../graphql/scalars';
import { enumOf } from '../../graphql/words.type';
import { NodeType } from '../node/node.type';
import { ChargeLine } from './charge-line.type';

export const InvoiceKindEnum = enumOf(['INVOICE', 'CREDIT_NOTE'] as const);
registerEnumType(InvoiceKindEnum, {
  name: 'InvoiceKind',
  description: 'Whether it asks for money or gives it back.',
  valuesMap: {
    INVOICE: { description: 'The invoice of a month.' },
    CREDIT_NOTE: { description: 'Gives back a part of an invoice, or all of it.' },
  },
  ...inCustomerSchema,
});

export const InvoiceStateEnum = enumOf(['FINAL', 'VOID'] as const);
registerEnumType(InvoiceStateEnum, {
  name: 'InvoiceState',
  description: 'Whether it counts.',
  valuesMap: {
    FINAL: { description: 'Issued; it never changes.' },
    VOID: { description: 'Taken back. Its number stays taken.' },
  },
  ...inCustomerSchema,
});

@ObjectType('InvoiceDownloads', {
  description: 'The same invoice as a file: GET with the same Authorization header. Its bytes are always the same.',
  ...inCustomerSchema,
})
export class InvoiceDownloads {
  @Field(() => Url, { description: 'For people.' })
  pdf!: string;

  @Field(() => Url, { description: 'A row for each line.' })
  csv!: string;

  @Field(() => Url, { description: 'Everything, with the hashes.' })
  json!: string;

  @Field(() => Url, { description: 'Rows of FOCUS 1.2 as CSV, for tools of finance.' })
  focus!: string;
}

@ObjectType('Invoice', {
  description: 'An invoice or a credit note, as it was issued.',
  implements: () => [NodeType],
  ...inCustomerSchema,
})
export class Invoice extends NodeType {
  static readonly graphqlName = 'Invoice';
  uuid!: string;
  correctsId!: string | null;

  @Field(() => String, { description: 'Given without gaps within a series and year: "INV-2026-000001".' })
  number!: string;

  @Field(() => InvoiceKindEnum, { description: 'Invoice or credit note.' })
  kind!: keyof typeof InvoiceKindEnum;

  @Field(() => InvoiceStateEnum, { description: 'Whether it counts.' })
  state!: keyof typeof InvoiceStateEnum;

  @Field(() => String, { description: 'The month it is for, in UTC, YYYY-MM.' })
  period!: string;

  @Field(() => DateTime, { description: 'When it was issued.' })
  issuedAt!: Date;

  @Field(() => DateTime, { description: 'When it is due.' })
  dueAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was taken back. Null unless VOID.' })
  voidedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it was taken back. Null unless VOID.' })
  voidReason!: string | null;

  @Field(() => String, { description: 'Always USD.' })
  currency!: string;

  @Field(() => Decimal, { description: 'What is asked for: whole cents. Below zero for a credit note.' })
  total!: string;

  @Field(() => [ChargeLine], { description: 'They add up to `total`; rounding to cents is a line of its own.' })
  lines!: ChargeLine[];

  @Field(() => String, { description: 'sha256 of what it was made of, in hexadecimal.' })
  inputHash!: string;

  @Field(() => String, { description: 'sha256 of what it says, in hexadecimal; printed on the PDF.' })
  bodyHash!: string;

  @Field(() => Invoice, {
    nullable: true,
    description: 'The invoice that a credit note corrects. Null for an invoice.',
  })
  corrects?: Invoice | null;

  @Field(() => [Invoice], { description: 'Credit notes to it, oldest first.' })
  creditNotes?: Invoice[];

  @Field(() => InvoiceDownloads, { description: 'Where it can be downloaded.' })
  downloads!: InvoiceDownloads;
}

export const InvoiceConnection = connectionType<Invoice>(() => Invoice, 'Invoice', inCustomerSchema);
