import { UnitOfWork } from '@libs/database';
import { DomainError, notFound, type Page, type PageRequest, type TenantId, isUuid } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { exportInvoice, type ExportedFile, type ExportFormat } from '../render/invoice-export.policy';
import { canonicalJson } from './canonical-json.policy';
import { isNumber } from './invoice-draft.policy';
import { InvoiceDraftRepository } from './invoice-draft.repository';
import { InvoiceRecords } from './invoice-records.service';
import { makeInvoice, type MadeInvoice } from './invoice-versions.policy';
import { InvoiceRepository, type StoredInvoice } from './invoice.repository';

/** What a tenant will be asked for, as it stands. */
export interface InvoiceDraft {
  readonly tenantId: TenantId;
  readonly body: MadeInvoice['body'];
  readonly draftedAt: Date;
}

/** An invoice made again from its stored input, beside what was stored when it was issued. */
export interface InvoiceProof {
  readonly invoice: StoredInvoice;
  /** What was stored; its sha-256 is the input's hash. */
  readonly inputJson: string;
  /** What the rules of its version make of it; its sha-256 is the hash of what the invoice says. */
  readonly bodyJson: string;
  readonly inputHash: string;
  readonly bodyHash: string;
  /** Both hashes are those that were stored. */
  readonly isAsIssued: boolean;
}

/** Everybody's invoices by their numbers, and drafts. For operators. */
@Injectable()
export class InvoiceRegister {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly invoices: InvoiceRepository,
    private readonly drafts: InvoiceDraftRepository,
    private readonly records: InvoiceRecords,
  ) {}

  /**
   * Makes an invoice or credit note again. One that comes out differently is told, not thrown.
   * @throws DomainError NOT_FOUND (number)
   */
  async prove(number: string): Promise<InvoiceProof> {
    const invoice = await this.byNumber(number);
    const { input, body, inputHash, bodyHash } = makeInvoice(invoice.input, invoice.renderVersion);
    return {
      invoice,
      inputJson: canonicalJson(input),
      bodyJson: canonicalJson(body),
      inputHash,
      bodyHash,
      isAsIssued: inputHash === invoice.inputHash && bodyHash === invoice.bodyHash,
    };
  }

  /** @throws DomainError NOT_FOUND (number); InvoiceDiffers */
  async export(number: string, format: ExportFormat): Promise<ExportedFile> {
    const { tenantId, id } = await this.byNumber(number);
    return this.records.export(tenantId, id, format);
  }

  /**
   * The drafts of a month, by tenant.
   * @param page its cursor is the id of a tenant
   * @throws DomainError INVALID_INPUT (period, after)
   */
  async drafted(period: string, { limit, after }: PageRequest): Promise<Page<InvoiceDraft>> {
    const { name } = parsePeriod(period);
    if (after !== undefined && !isUuid(after)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: ['after'] });
    }
    const from = after === undefined ? null : (after as TenantId);
    const found = await this.uow.forSystem(() => this.drafts.list(name, from, BigInt(limit) + 1n));
    const rows = found.slice(0, limit).map(({ tenantId, input, draftedAt }) => ({
      tenantId,
      body: makeInvoice(input).body,
      draftedAt,
    }));
    return { rows, hasNext: found.length > limit, hasPrevious: after !== undefined };
  }

  /** @throws DomainError INVALID_INPUT (period), NOT_FOUND (tenantId) */
  async exportDraft(period: string, tenant: TenantId, format: ExportFormat): Promise<ExportedFile> {
    const draft = isUuid(tenant) ? await this.records.draft(tenant, period) : null;
    if (!draft) throw notFound('The draft', ['tenantId']);
    return exportInvoice(draft, null, format);
  }

  private async byNumber(number: string): Promise<StoredInvoice> {
    const found = isNumber(number) ? await this.uow.forSystem(() => this.invoices.byNumber(number)) : undefined;
    if (!found) throw notFound('The invoice', ['number']);
    return found;
  }
}
