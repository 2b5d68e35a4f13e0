import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  notFound,
  type InvoiceId,
  type Page,
  type PageRequest,
  type TenantId,
  checkCursors,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { InvoiceDiffers } from '../billing.errors';
import { parsePeriod } from '../billing-period.policy';
import { FOCUS_HEAD, focusRows } from '../render/focus.policy';
import { exportInvoice, type ExportedFile, type ExportFormat } from '../render/invoice-export.policy';
import { InvoiceDraftRepository } from './invoice-draft.repository';
import { makeInvoice, type MadeInvoice } from './invoice-versions.policy';
import { InvoiceRepository, type InvoiceFilter, type StoredInvoice } from './invoice.repository';

const NUMBER = /^[A-Z]{1,8}-\d{4}-\d{6,12}$/;

/** An invoice and what it says, made again from its stored input. */
export interface InvoiceRecord extends Omit<StoredInvoice, 'input'> {
  readonly body: MadeInvoice['body'];
}

/** What was issued, read again: an invoice is always made from its stored input, and must be the one that was issued. */
@Injectable()
export class InvoiceRecords {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly invoices: InvoiceRepository,
    private readonly drafts: InvoiceDraftRepository,
  ) {}

  /** @throws DomainError NOT_FOUND (invoiceId); InvoiceDiffers */
  async get(tenant: TenantId, id: InvoiceId): Promise<InvoiceRecord> {
    return toRecord(await this.find(tenant, id));
  }

  /**
   * A tenant's invoices and credit notes, newest first; void ones too. Cursors are ids.
   * @throws DomainError INVALID_INPUT (after, before)
   */
  async page(tenant: TenantId, request: PageRequest): Promise<Page<InvoiceRecord>> {
    checkCursors(request);
    const page = await this.uow.forTenant(tenant, () => this.invoices.page(tenant, request));
    return { ...page, rows: page.rows.map(toRecord) };
  }

  /** Those of the ids that are invoices or credit notes of the tenant. */
  async findByIds(tenant: TenantId, ids: readonly string[]): Promise<InvoiceRecord[]> {
    const found = await this.uow.forTenant(tenant, () => this.invoices.findByIds(tenant, ids));
    return found.map(toRecord);
  }

  /** The credit notes of any of the invoices, oldest first. */
  async creditNotesOf(tenant: TenantId, ids: readonly string[]): Promise<InvoiceRecord[]> {
    const found = await this.uow.forTenant(tenant, () => this.invoices.notesOfAny(tenant, ids));
    return found.map(toRecord);
  }

  /**
   * Everybody's, the highest number first; void ones and credit notes too. For operators.
   * @param page its cursor is a number
   * @throws DomainError INVALID_INPUT (period, after)
   */
  async register(filter: InvoiceFilter, { limit, after }: PageRequest): Promise<Page<InvoiceRecord>> {
    if (filter.period !== null) parsePeriod(filter.period);
    if (after !== undefined && !NUMBER.test(after)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: ['after'] });
    }
    const found = await this.uow.forSystem(() => this.invoices.latest(filter, after ?? null, BigInt(limit) + 1n));
    const rows = found.slice(0, limit).map(toRecord);
    return { rows, hasNext: found.length > limit, hasPrevious: after !== undefined };
  }

  /** The draft of a month; null when there is none. For operators and the engine. */
  async draft(tenant: TenantId, period: string): Promise<MadeInvoice | null> {
    const found = await this.uow.forSystem(() => this.drafts.find(parsePeriod(period).name, tenant));
    return found ? makeInvoice(found.input) : null;
  }

  /** @throws DomainError NOT_FOUND (invoiceId); InvoiceDiffers */
  async export(tenant: TenantId, id: InvoiceId, format: ExportFormat): Promise<ExportedFile> {
    const stored = await this.find(tenant, id);
    return exportInvoice(recompute(stored), stored.voidedAt, format);
  }

  /** Everything issued for a month that is not void, as one FOCUS file in parts. For operators and the engine. */
  async *focusOf(period: string): AsyncGenerator<string> {
    const month = parsePeriod(period);
    yield FOCUS_HEAD;
    for (let after = ''; ;) {
      const page = await this.uow.forSystem(() => this.invoices.ofPeriod(month.name, after));
      const last = page.at(-1);
      if (!last) return;
      after = last.number;
      yield page
        .filter((invoice) => invoice.state === 'FINAL')
        .map((invoice) => focusRows(recompute(invoice).body))
        .join('');
    }
  }

  /** Makes everything issued for a month again and answers the numbers of those that come out differently. */
  async differing(period: string): Promise<string[]> {
    const month = parsePeriod(period);
    const differing: string[] = [];
    for (let after = ''; ;) {
      const page = await this.uow.forSystem(() => this.invoices.ofPeriod(month.name, after));
      const last = page.at(-1);
      if (!last) return differing;
      after = last.number;
      differing.push(...page.filter((invoice) => !isAsIssued(invoice)).map((invoice) => invoice.number));
    }
  }

  private async find(tenant: TenantId, id: InvoiceId): Promise<StoredInvoice> {
    const found = isUuid(id) ? await this.uow.forTenant(tenant, () => this.invoices.find(tenant, id)) : undefined;
    if (!found) throw notFound('The invoice', ['invoiceId']);
    return found;
  }
}

function isAsIssued(stored: StoredInvoice): boolean {
  const made = makeInvoice(stored.input, stored.renderVersion);
  return made.inputHash === stored.inputHash && made.bodyHash === stored.bodyHash;
}

/** @throws InvoiceDiffers */
function recompute(stored: StoredInvoice): MadeInvoice {
  if (!isAsIssued(stored)) throw new InvoiceDiffers(stored.number);
  return makeInvoice(stored.input, stored.renderVersion);
}

function toRecord(stored: StoredInvoice): InvoiceRecord {
  const { input, ...rest } = stored;
  return { ...rest, body: recompute({ ...rest, input }).body };
}
