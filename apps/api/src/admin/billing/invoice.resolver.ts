import { InvoiceCorrections, InvoiceRecords } from '@libs/billing';
import type { InvoiceId, TenantId } from '@libs/kernel';
import { Args, Context, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { toIssuedInvoice } from './invoice.mapping';
import {
  InvoiceStateEnum,
  IssueCreditNoteInput,
  IssueCreditNotePayload,
  IssuedInvoice,
  IssuedInvoiceConnection,
  VoidInvoiceInput,
  VoidInvoicePayload,
  type InvoiceState,
} from './invoice.type';
import { dollarsOf } from './rate.mapping';

/** What was issued, and what may still happen to it. */
@Resolver(() => IssuedInvoice)
export class InvoiceResolver {
  constructor(
    private readonly records: InvoiceRecords,
    private readonly corrections: InvoiceCorrections,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => IssuedInvoiceConnection, {
    description: 'Issued invoices and credit notes of all tenants, the highest number first.',
  })
  async invoices(
    @Args() wish: ForwardPageArgs,
    @Args('period', { type: () => String, nullable: true, description: 'Of this month only, YYYY-MM.' })
    period: string | null | undefined,
    @Args('tenantId', { type: () => ID, nullable: true, description: 'Of this tenant only.' })
    tenantId: string | null | undefined,
    @Args('state', { type: () => InvoiceStateEnum, nullable: true, description: 'In this state only.' })
    state: InvoiceState | null | undefined,
  ): Promise<Connection<IssuedInvoice>> {
    const plan = pageRequest(wish, 'newest-first');
    const tenant = tenantId ? uuidOf<TenantId>('tenant', tenantId) : null;
    const wanted = { period: period ?? null, tenantId: tenant, state: state ?? null };
    const page = await this.records.register(wanted, plan);
    return toConnection(plan, page, (row) => row.number, toIssuedInvoice);
  }

  @RequiresRole('owner')
  @Mutation(() => VoidInvoicePayload, {
    description: 'Takes an invoice or credit note back. Its number stays taken.',
  })
  voidInvoice(@Input() input: VoidInvoiceInput, @Context() context: AdminRequest): Promise<VoidInvoicePayload> {
    return this.payloads.of<Omit<VoidInvoicePayload, 'userErrors'>>({ invoice: null }, async () => {
      const [tenant, id] = namedBy(input);
      await this.corrections.void(tenant, id, input.reason, authorOf(context));
      return { invoice: toIssuedInvoice(await this.records.get(tenant, id)) };
    });
  }

  @RequiresRole('owner')
  @Mutation(() => IssueCreditNotePayload, {
    description: 'Gives back a part of an invoice, or all of it, by a credit note. The invoice stays as it is.',
  })
  issueCreditNote(
    @Input() input: IssueCreditNoteInput,
    @Context() context: AdminRequest,
  ): Promise<IssueCreditNotePayload> {
    return this.payloads.of<Omit<IssueCreditNotePayload, 'userErrors'>>({ creditNote: null }, async () => {
      const [tenant, id] = namedBy(input);
      const lines = input.lines.map(({ description, amount, line }, index) => ({
        description,
        amountMicro: dollarsOf(`lines.${String(index)}.amount`, amount),
        lineNo: line === null || line === undefined ? null : BigInt(line),
      }));
      const { reason } = input;
      const noteId = await this.corrections.creditNote(tenant, id, { reason, lines }, authorOf(context));
      return { creditNote: toIssuedInvoice(await this.records.get(tenant, noteId)) };
    });
  }
}

function namedBy(input: { readonly tenantId: string; readonly invoiceId: string }): [TenantId, InvoiceId] {
  return [uuidOf<TenantId>('tenant', input.tenantId), uuidOf<InvoiceId>('invoice', input.invoiceId)];
}
