import { UnitOfWork } from '@libs/database';
import { EngineClock, notFound, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { UsageRepository } from '../usage/usage.repository';
import type { InvoiceBody } from './invoice-body.v1.policy';
import { draftInput } from './invoice-draft.policy';
import { InvoiceFactsRepository } from './invoice-facts.repository';
import { InvoiceFactsService } from './invoice-facts.service';
import { liveSpans, projected, withLive } from './invoice-projection.policy';
import { makeInvoice } from './invoice-versions.policy';
import { InvoiceRepository } from './invoice.repository';

/** What the running month comes to. */
export interface InvoicePreview {
  readonly period: string;
  readonly asOf: Date;
  /** With the month's fees and what was used until now. */
  readonly soFar: InvoiceBody;
  /** If the rest of the month goes on as it went. */
  readonly projected: InvoiceBody;
}

/** A tenant's running month: from roll-ups, and from its attempts since. Reads only. */
@Injectable()
export class InvoicePreviews {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly facts: InvoiceFactsService,
    private readonly days: InvoiceFactsRepository,
    private readonly usages: UsageRepository,
    private readonly invoices: InvoiceRepository,
    private readonly clock: EngineClock,
  ) {}

  /** @throws DomainError NOT_FOUND (tenantId); PlanPriceMissing */
  preview(tenant: TenantId): Promise<InvoicePreview> {
    const asOf = this.clock.now();
    const month = parsePeriod(asOf.toISOString().slice(0, 7));
    return this.uow.forTenant(tenant, async () => {
      const found = await this.facts.one(month, tenant);
      if (!found) throw notFound('The tenant', ['tenantId']);
      const countedUntil = await this.days.countedUntil(month);
      const spans = liveSpans(found.segments, countedUntil, asOf);
      const live = spans.length === 0 ? [] : await this.usages.ofTenant(tenant, spans);
      const used = withLive(found.segments, live);
      const residue = (await this.invoices.residues([tenant])).get(tenant) ?? 0n;
      const bodyOf = (segments: typeof used) =>
        makeInvoice(draftInput(month.name, tenant, found.tenant.buyer, segments, residue)).body;
      return {
        period: month.name,
        asOf,
        soFar: bodyOf(used),
        projected: bodyOf(projected(used, countedUntil, asOf)),
      };
    });
  }
}
