import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, newId, type InvoiceId, type TenantId } from '@libs/kernel';
import { Outbox } from '@libs/queueing';
import { Inject, Injectable } from '@nestjs/common';
import { parsePeriod, type Period } from '../billing-period.policy';
import { draftInput, issuedInput, numberOf, seriesOf } from './invoice-draft.policy';
import { InvoiceDraftRepository, type StoredDraft } from './invoice-draft.repository';
import { InvoiceFactsService } from './invoice-facts.service';
import { CURRENT_VERSION, makeInvoice } from './invoice-versions.policy';
import { handOverInvoiceEvent } from './invoice.jobs';
import { InvoiceRepository } from './invoice.repository';
import { INVOICING_OPTIONS, type InvoicingOptions } from './invoicing-options';

/** Told after each page of tenants, once it is committed. */
export type OnProgress = (progress: { readonly done: bigint; readonly total: bigint }) => Promise<void> | void;

export interface Drafted {
  readonly drafts: bigint;
  /** Exact charges of all of them, micro-dollars. */
  readonly totalMicro: bigint;
}

export interface Issued {
  readonly invoices: bigint;
  readonly totalCents: bigint;
}

/**
 * A month's invoices, page by page of tenants: each page is a unit of its own, so that what breaks off is simply begun again.
 * Drafting twice is drafting once; what is issued is left alone.
 */
@Injectable()
export class InvoiceService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly facts: InvoiceFactsService,
    private readonly drafts: InvoiceDraftRepository,
    private readonly invoices: InvoiceRepository,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
    @Inject(INVOICING_OPTIONS) private readonly options: InvoicingOptions,
  ) {}

  /**
   * Drafts the invoices of a month from what is rolled up. A tenant without usage and fees gets none, and one that has its
   * invoice of the month keeps it.
   * @throws DomainError INVALID_INPUT (period); PlanPriceMissing
   */
  async draftAll(period: string, onProgress?: OnProgress): Promise<Drafted> {
    const month = parsePeriod(period);
    const total = await this.uow.forSystem(() => this.facts.count(month));
    let done = 0n;
    const drafted = { drafts: 0n, totalMicro: 0n };
    for (let after: TenantId | null = null; ;) {
      const page = await this.draftPage(month, after);
      if (page.last === null) return drafted;
      after = page.last;
      done += page.tenants;
      drafted.drafts += page.drafts;
      drafted.totalMicro += page.totalMicro;
      await onProgress?.({ done, total });
    }
  }

  /**
   * Issues every draft of a month: numbers without gaps in the order of tenants, and an event for each. The month must be over.
   * @throws DomainError INVALID_INPUT (period), CONFLICT (period: it is not over)
   */
  async finaliseAll(period: string, onProgress?: OnProgress, by: Author = { actor: 'worker' }): Promise<Issued> {
    const month = parsePeriod(period);
    if (this.clock.now() < month.end) {
      throw new DomainError({
        code: 'CONFLICT',
        message: `${period} is not over: its invoices are issued after it.`,
        path: ['period'],
      });
    }
    const total = await this.uow.forSystem(() => this.drafts.count(period));
    const issued = { invoices: 0n, totalCents: 0n };
    for (;;) {
      const page = await this.issuePage(month, by);
      if (page.taken === 0n) return issued;
      issued.invoices += page.invoices;
      issued.totalCents += page.totalCents;
      await onProgress?.({ done: issued.invoices, total });
    }
  }

  private draftPage(month: Period, after: TenantId | null) {
    return this.uow.forSystem(async () => {
      const page = await this.facts.page(month, after);
      const tenants = page.map(({ tenant }) => tenant.tenantId);
      if (tenants.length === 0) return { last: null, tenants: 0n, drafts: 0n, totalMicro: 0n };
      const invoiced = await this.invoices.invoiced(month.name, tenants);
      const residues = await this.invoices.residues(tenants);
      const made = page
        .filter(({ tenant }) => !invoiced.has(tenant.tenantId))
        .map(({ tenant: { tenantId, buyer }, segments }) =>
          makeInvoice(draftInput(month.name, tenantId, buyer, segments, residues.get(tenantId) ?? 0n)),
        )
        .filter(({ body }) => body.lines.some((line) => line.cites.planPrices.length > 0));
      await this.drafts.replace(month.name, tenants, made, this.clock.now());
      return {
        last: tenants.at(-1) ?? null,
        tenants: BigInt(tenants.length),
        drafts: BigInt(made.length),
        totalMicro: made.reduce((sum, { body }) => sum + BigInt(body.totalMicro), 0n),
      };
    });
  }

  private issuePage(month: Period, by: Author): Promise<Issued & { readonly taken: bigint }> {
    return this.uow.forSystem(async () => {
      const taken = await this.drafts.take(month.name);
      const tenants = taken.map((draft) => draft.tenantId);
      // A draft that was made while its invoice was issued is worth nothing any more.
      const invoiced = await this.invoices.invoiced(month.name, tenants);
      const made = await this.issue(taken.filter((draft) => !invoiced.has(draft.tenantId)));
      await this.drafts.remove(month.name, tenants);
      const [first, last] = [made.at(0), made.at(-1)].map((one) => one?.input.issue?.number);
      if (first !== undefined) {
        const detail = { first, last, invoices: made.length.toString() };
        await this.audit.record({ ...by, action: 'invoice.finalise', subject: month.name, detail });
      }
      return {
        taken: BigInt(taken.length),
        invoices: BigInt(made.length),
        totalCents: made.reduce((sum, { body }) => sum + BigInt(body.totalCents), 0n),
      };
    });
  }

  /** What was drafted is issued as it was drafted; only what rounding left over meanwhile is looked up again. */
  private async issue(drafts: readonly StoredDraft[]) {
    if (drafts.length === 0) return [];
    const tenants = drafts.map((draft) => draft.tenantId);
    const { seller, dueAt } = this.options;
    const at = this.clock.now();
    const series = seriesOf('INVOICE', at);
    const first = await this.invoices.takeNumbers(series, BigInt(drafts.length));
    const residues = await this.invoices.residues(tenants);
    const heads = await this.audit.heads(tenants);
    const made = drafts.map(({ tenantId, input }, index) => {
      const carriedInMicro = (residues.get(tenantId) ?? 0n).toString();
      const auditHead = heads.get(tenantId) ?? null;
      const number = numberOf(series, first + BigInt(index));
      const issued = issuedInput({ ...input, carriedInMicro }, { number, at, dueAt: dueAt(at), seller, auditHead });
      return { ...makeInvoice(issued), id: newId<InvoiceId>(), version: CURRENT_VERSION };
    });
    await this.invoices.insert(made);
    const event = 'invoice.finalised' as const;
    await this.outbox.addAll(
      handOverInvoiceEvent,
      made.map(({ id, input }) => ({ tenantId: input.tenant, invoiceId: id, type: event })),
    );
    return made;
  }
}
