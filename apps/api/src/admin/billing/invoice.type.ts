import { Field, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionType } from '../../graphql/connection.type';
import { inAdminSchema } from '../../graphql/endpoint.schema';
import { DateTime, Decimal } from '../../graphql/scalars';
import { enumOf, UserError } from '../../graphql/words.type';

export type InvoiceState = 'FINAL' | 'VOID';
export const InvoiceStateEnum = enumOf<InvoiceState>(['FINAL', 'VOID']);
registerEnumType(InvoiceStateEnum, {
  name: 'IssuedInvoiceState',
  description: 'What became of an issued invoice.',
  valuesMap: {
    FINAL: { description: 'It stands.' },
    VOID: { description: 'It was taken back; its number stays taken.' },
  },
});

@ObjectType('IssuedInvoiceLine', { description: 'A line of an invoice.', ...inAdminSchema })
export class IssuedInvoiceLine {
  @Field(() => Int, { description: 'Its number.' })
  no!: number;

  @Field(() => String, { description: 'What is charged, for example "plan.recipients".' })
  sku!: string;

  @Field(() => String, { description: 'The same for people.' })
  description!: string;

  @Field(() => Decimal, { description: 'How much of it.' })
  quantity!: string;

  @Field(() => String, { description: 'What is counted.' })
  unit!: string;

  @Field(() => Decimal, { description: 'US dollars, exact to the micro-dollar.' })
  amount!: string;

  @Field(() => String, { description: 'How it was rated.' })
  method!: string;

  @Field(() => [ID], { description: 'Versions of plan prices it was rated with.' })
  planPriceIds!: string[];
}

@ObjectType('IssuedInvoice', { description: 'An invoice or credit note that was issued.', ...inAdminSchema })
export class IssuedInvoice {
  @Field(() => ID, { description: 'Public id (inv_...).' })
  id!: string;

  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => String, { description: 'Its number; a series has no gaps.' })
  number!: string;

  @Field(() => String, { description: 'INVOICE or CREDIT_NOTE.' })
  kind!: string;

  @Field(() => InvoiceStateEnum, { description: 'Whether it stands.' })
  state!: InvoiceState;

  @Field(() => String, { description: 'The month it is about, or that a credit note was issued in, YYYY-MM.' })
  period!: string;

  @Field(() => String, { description: 'Whom it is made out to.' })
  buyer!: string;

  @Field(() => Decimal, { description: 'US dollars to pay; below zero for a credit note.' })
  total!: string;

  @Field(() => DateTime, { description: 'When it was issued.' })
  issuedAt!: Date;

  @Field(() => DateTime, { description: 'When it is due.' })
  dueAt!: Date;

  @Field(() => ID, { nullable: true, description: 'The invoice that a credit note corrects. Null for an invoice.' })
  corrects!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was taken back. Null: it stands.' })
  voidedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it was taken back. Null: it stands.' })
  voidReason!: string | null;

  @Field(() => String, {
    description: 'Hash of what it says: recomputed from its stored input it is the same for ever.',
  })
  bodyHash!: string;

  @Field(() => String, {
    description: 'Where it can be downloaded with the same key; .csv, .json and .focus.csv work as well.',
  })
  pdf!: string;

  @Field(() => [IssuedInvoiceLine], { description: 'Its lines; they add up to the total.' })
  lines!: IssuedInvoiceLine[];
}

export const IssuedInvoiceConnection = connectionType<IssuedInvoice>(
  () => IssuedInvoice,
  'IssuedInvoice',
  inAdminSchema,
);

@InputType('VoidInvoiceInput', { description: 'An invoice to take back.', ...inAdminSchema })
export class VoidInvoiceInput {
  @Field(() => ID, { description: 'Its tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'The invoice or credit note (inv_...).' })
  invoiceId!: string;

  @Field(() => String, { description: 'Why, 1 to 500 printable characters.' })
  reason!: string;
}

@ObjectType('VoidInvoicePayload', { description: 'The invoice, void.', ...inAdminSchema })
export class VoidInvoicePayload {
  @Field(() => IssuedInvoice, { nullable: true, description: 'Null when it was refused.' })
  invoice!: IssuedInvoice | null;

  @Field(() => [UserError], { description: 'Why it cannot be taken back.' })
  userErrors!: UserError[];
}

@InputType('CreditLineInput', { description: 'What is given back.', ...inAdminSchema })
export class CreditLineInput {
  @Field(() => String, { description: '1 to 500 printable characters.' })
  description!: string;

  @Field(() => Decimal, { description: 'US dollars given back, above 0, at most six decimals.' })
  amount!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The line of the invoice it is about. Null: the invoice as a whole.',
  })
  line?: number | null;
}

@InputType('IssueCreditNoteInput', { description: 'A credit note to an invoice.', ...inAdminSchema })
export class IssueCreditNoteInput {
  @Field(() => ID, { description: 'Its tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'The invoice (inv_...).' })
  invoiceId!: string;

  @Field(() => String, { description: 'Why, 1 to 500 printable characters.' })
  reason!: string;

  @Field(() => [CreditLineInput], { description: '1 to 100 lines; together at most what is left of the invoice.' })
  lines!: CreditLineInput[];
}

@ObjectType('IssueCreditNotePayload', { description: 'The credit note.', ...inAdminSchema })
export class IssueCreditNotePayload {
  @Field(() => IssuedInvoice, { nullable: true, description: 'Null when it was refused.' })
  creditNote!: IssuedInvoice | null;

  @Field(() => [UserError], { description: 'What is wrong with the input. Nothing was issued then.' })
  userErrors!: UserError[];
}
