import { InvoiceRecords } from '@libs/billing';
import { Args, Context, ID, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { ApiSettings } from '../../api.settings';
import { RequiresScope } from '../../auth/access.decorator';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { uuidOf } from '../../graphql/public-id';
import type { CustomerRequest } from '../customer.loaders';
import { toInvoice } from './invoice.mapping';
import { Invoice, InvoiceConnection } from './invoice.type';

@Resolver(() => Invoice)
export class InvoiceResolver {
  constructor(
    private readonly records: InvoiceRecords,
    private readonly settings: ApiSettings,
  ) {}

  @RequiresScope('billing:read')
  @Query(() => InvoiceConnection, { description: 'Your invoices and credit notes, newest first; void ones too.' })
  async invoices(
    @Args() wish: ForwardPageArgs,
    @Context() { principal }: CustomerRequest,
  ): Promise<Connection<Invoice>> {
    const plan = pageRequest(wish, 'newest-first');
    const page = await this.records.page(principal.tenantId, plan);
    return toConnection(plan, page, (row) => row.id, toInvoice(this.settings));
  }

  @RequiresScope('billing:read')
  @Query(() => Invoice, { nullable: true, description: 'One of them. Null when there is none of this id.' })
  invoice(
    @Args('id', { type: () => ID, description: 'Its id (inv_...).' }) id: string,
    @Context() { loaders }: CustomerRequest,
  ): Promise<Invoice | null> {
    return loaders.invoices.load(uuidOf('invoice', id));
  }

  @ResolveField(() => Invoice, {
    nullable: true,
    description: 'The invoice that a credit note corrects. Null for an invoice.',
  })
  corrects(@Parent() { correctsId }: Invoice, @Context() { loaders }: CustomerRequest): Promise<Invoice | null> {
    return correctsId === null ? Promise.resolve(null) : loaders.invoices.load(correctsId);
  }

  @ResolveField(() => [Invoice], { description: 'Credit notes to it, oldest first.' })
  creditNotes(@Parent() { uuid }: Invoice, @Context() { loaders }: CustomerRequest): Promise<Invoice[]> {
    return loaders.creditNotes.load(uuid);
  }
}
