import { InvoiceRegister } from '@libs/billing';
import { Args, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { toInvoiceDraft, toInvoiceProof } from './invoice.mapping';
import { InvoiceDraft, InvoiceDraftConnection, InvoiceProof } from './invoice-register.type';

/** Invoices before they are issued, and the proof that one is still what it was. */
@Resolver()
export class InvoiceRegisterResolver {
  constructor(private readonly register: InvoiceRegister) {}

  @RequiresRole('viewer')
  @Query(() => InvoiceDraftConnection, { description: 'What tenants will be asked for, by the last close of a month.' })
  async invoiceDrafts(
    @Args() wish: ForwardPageArgs,
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<Connection<InvoiceDraft>> {
    const plan = pageRequest(wish, 'oldest-first');
    return toConnection(plan, await this.register.drafted(period, plan), (row) => row.tenantId, toInvoiceDraft);
  }

  @RequiresRole('viewer')
  @Query(() => InvoiceProof, {
    description: 'Makes an invoice again from its stored input, and compares the hashes. For auditors.',
  })
  async invoiceProof(
    @Args('number', { type: () => String, description: 'Its number: "INV-2026-000001".' }) number: string,
  ): Promise<InvoiceProof> {
    return toInvoiceProof(await this.register.prove(number));
  }
}
