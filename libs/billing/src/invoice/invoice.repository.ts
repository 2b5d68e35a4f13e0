import { UnitOfWork } from '@libs/database';
import { isBackwards, toPage, type InvoiceId, type Page, type PageRequest, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { InvoiceIssued } from '../billing.errors';
import { invoiceInput, type InvoiceInput } from './invoice-input.policy';
import type { MadeInvoice } from './invoice-versions.policy';

/** An invoice as it was issued. */
export interface StoredInvoice {
  readonly tenantId: TenantId;
  readonly id: InvoiceId;
  readonly kind: InvoiceInput['kind'];
  readonly period: string;
  readonly state: 'FINAL' | 'VOID';
  readonly number: string;
  readonly totalCents: bigint;
  readonly input: InvoiceInput;
  readonly inputHash: string;
  readonly bodyHash: string;
  readonly renderVersion: bigint;
  readonly corrects: InvoiceId | null;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly voidedAt: Date | null;
  readonly voidReason: string | null;
}

/** Which invoices; null = any. */
export interface InvoiceFilter {
  readonly period: string | null;
  readonly tenantId: TenantId | null;
  readonly state: 'FINAL' | 'VOID' | null;
}

interface InvoiceRow {
  tenant_id: TenantId;
  id: InvoiceId;
  kind: InvoiceInput['kind'];
  period: string;
  state: 'FINAL' | 'VOID';
  number: string;
  total_cents: string;
  input: unknown;
  input_hash: string;
  body_hash: string;
  render_version: string;
  corrects: InvoiceId | null;
  issued_at: Date;
  due_at: Date;
  voided_at: Date | null;
  void_reason: string | null;
}

const COLUMNS = `tenant_id, id, kind, period, state, number, total_cents::text AS total_cents, input,
  encode(input_hash, 'hex') AS input_hash, encode(body_hash, 'hex') AS body_hash, render_version::text AS render_version, corrects,
  issued_at, due_at, voided_at, void_reason`;

const FIND = `SELECT ${COLUMNS} FROM invoice WHERE tenant_id = $1 AND id = ANY($2::uuid[])`;
// Newest first: the cursor is the id of an invoice, and uuid v7 grows with time.
const BETWEEN = `SELECT ${COLUMNS} FROM invoice WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR id > $3)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY id DESC LIMIT $4`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY id LIMIT $4`;
const OF_PERIOD = `SELECT ${COLUMNS} FROM invoice WHERE period = $1 AND number > $2 ORDER BY number LIMIT 500`;
const LATEST = `SELECT ${COLUMNS} FROM invoice
 WHERE ($1::text IS NULL OR period = $1) AND ($2::uuid IS NULL OR tenant_id = $2) AND ($3::text IS NULL OR state = $3)
   AND ($4::text IS NULL OR number < $4) ORDER BY number DESC LIMIT $5`;
const BY_NUMBER = `SELECT ${COLUMNS} FROM invoice WHERE number = $1`;
const NOTES = `SELECT ${COLUMNS} FROM invoice WHERE tenant_id = $1 AND corrects = ANY($2::uuid[]) ORDER BY number`;

/** SQLSTATE of what the database refuses: the trigger's own code, and a privilege nobody has. */
const REFUSALS = ['PF001', '42501'];

/** What was issued. Rows are added; all that ever happens to one is that it is voided. */
@Injectable()
export class InvoiceRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /**
   * The next `count` numbers of a series; the first of them. Nobody else gets any before this unit ends, and a unit that fails
   * gives them back: so none is left out.
   */
  async takeNumbers(series: string, count: bigint): Promise<bigint> {
    const [row] = await this.uow.query<{ first: string }>(
      `INSERT INTO invoice_number (series, last) VALUES ($1, $2)
       ON CONFLICT (series) DO UPDATE SET last = invoice_number.last + excluded.last
       RETURNING (last - $2::bigint + 1)::text AS first`,
      [series, count.toString()],
    );
    return BigInt(row?.first ?? '0');
  }

  async insert(
    invoices: readonly (MadeInvoice & { readonly id: InvoiceId; readonly version: bigint })[],
  ): Promise<void> {
    await this.uow.query(
      `INSERT INTO invoice (tenant_id, id, kind, period, state, number, currency, total_micro, carried_in_micro, rounding_micro, total_cents,
                            line_count, input, input_hash, body_hash, render_version, audit_head, corrects, issued_at, due_at)
       SELECT tenant_id, id, kind, period, 'FINAL', number, 'USD', total_micro, carried_in_micro, rounding_micro, total_cents, line_count,
              input, decode(input_hash, 'hex'), decode(body_hash, 'hex'), render_version, decode(audit_head, 'hex'), corrects, issued_at, due_at
         FROM jsonb_to_recordset($1::jsonb) AS made (tenant_id uuid, id uuid, kind text, period text, number text, total_micro bigint,
                carried_in_micro bigint, rounding_micro bigint, total_cents bigint, line_count int, input jsonb, input_hash text,
                body_hash text, render_version int, audit_head text, corrects uuid, issued_at timestamptz, due_at timestamptz)`,
      [JSON.stringify(invoices.map(toRow))],
    );
    await this.uow.query(
      `INSERT INTO invoice_line (tenant_id, invoice_id, no, sku, description, quantity, unit, amount_micro, cites)
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS line (tenant_id uuid, invoice_id uuid, no int, sku text, description text,
                quantity bigint, unit text, amount_micro bigint, cites jsonb)`,
      [
        JSON.stringify(
          invoices.flatMap(({ id, body }) =>
            body.lines.map((line) => ({
              ...line,
              tenant_id: body.tenant,
              invoice_id: id,
              amount_micro: line.amountMicro,
            })),
          ),
        ),
      ],
    );
  }

  /** @throws InvoiceIssued when the database refuses it */
  async void(tenant: TenantId, id: InvoiceId, at: Date, reason: string): Promise<void> {
    try {
      await this.uow.query(
        `UPDATE invoice SET state = 'VOID', voided_at = $3, void_reason = $4 WHERE tenant_id = $1 AND id = $2`,
        [tenant, id, at, reason],
      );
    } catch (error) {
      if (isRefusal(error)) throw new InvoiceIssued();
      throw error;
    }
  }

  async find(tenant: TenantId, id: InvoiceId): Promise<StoredInvoice | undefined> {
    return (await this.findByIds(tenant, [id]))[0];
  }

  async findByIds(tenant: TenantId, ids: readonly string[]): Promise<StoredInvoice[]> {
    const rows = await this.uow.query<InvoiceRow>(FIND, [tenant, ids]);
    return rows.map(toInvoice);
  }

  /** Whoever's it is. */
  async byNumber(number: string): Promise<StoredInvoice | undefined> {
    const rows = await this.uow.query<InvoiceRow>(BY_NUMBER, [number]);
    return rows.map(toInvoice)[0];
  }

  /** The same, and nobody else voids or credits it until the unit ends. */
  async lock(tenant: TenantId, id: InvoiceId): Promise<StoredInvoice | undefined> {
    await this.uow.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [id]);
    return this.find(tenant, id);
  }

  /** Of one tenant, newest first. */
  async page(tenant: TenantId, request: PageRequest): Promise<Page<StoredInvoice>> {
    const rows = await this.uow.query<InvoiceRow>(isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS, [
      tenant,
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
    ]);
    return toPage(rows.map(toInvoice), request);
  }

  /** Of one period, by number, after the given one. */
  async ofPeriod(period: string, after: string): Promise<StoredInvoice[]> {
    const rows = await this.uow.query<InvoiceRow>(OF_PERIOD, [period, after]);
    return rows.map(toInvoice);
  }

  /** Of everybody, the highest number first, below `before`. */
  async latest(filter: InvoiceFilter, before: string | null, limit: bigint): Promise<StoredInvoice[]> {
    const { period, tenantId, state } = filter;
    const rows = await this.uow.query<InvoiceRow>(LATEST, [period, tenantId, state, before, limit.toString()]);
    return rows.map(toInvoice);
  }

  /** Credit notes of an invoice. */
  notesOf(tenant: TenantId, id: InvoiceId): Promise<StoredInvoice[]> {
    return this.notesOfAny(tenant, [id]);
  }

  /** Credit notes of any of the invoices. */
  async notesOfAny(tenant: TenantId, ids: readonly string[]): Promise<StoredInvoice[]> {
    const rows = await this.uow.query<InvoiceRow>(NOTES, [tenant, ids]);
    return rows.map(toInvoice);
  }

  /** Which of the tenants have an invoice of the period that is not void. */
  async invoiced(period: string, tenants: readonly TenantId[]): Promise<Set<TenantId>> {
    const rows = await this.uow.query<{ tenant_id: TenantId }>(
      `SELECT tenant_id FROM invoice WHERE period = $1 AND tenant_id = ANY($2) AND kind = 'INVOICE' AND state = 'FINAL'`,
      [period, tenants],
    );
    return new Set(rows.map((row) => row.tenant_id));
  }

  /** What rounding has left over so far: exact charges less what was asked for, of everything that is not void. */
  async residues(tenants: readonly TenantId[]): Promise<Map<TenantId, bigint>> {
    const rows = await this.uow.query<{ tenant_id: TenantId; residue: string }>(
      `SELECT tenant_id, sum(total_micro - total_cents * 10000)::text AS residue FROM invoice
        WHERE tenant_id = ANY($1) AND state = 'FINAL' GROUP BY tenant_id`,
      [tenants],
    );
    return new Map(rows.map((row) => [row.tenant_id, BigInt(row.residue)]));
  }
}

function toRow(made: MadeInvoice & { readonly id: InvoiceId; readonly version: bigint }) {
  const { id, input, body, inputHash, bodyHash, version } = made;
  return {
    tenant_id: input.tenant,
    id,
    kind: input.kind,
    period: input.period,
    number: input.issue?.number,
    total_micro: body.totalMicro,
    carried_in_micro: body.carriedInMicro,
    rounding_micro: body.roundingMicro,
    total_cents: body.totalCents,
    line_count: body.lines.length,
    input,
    input_hash: inputHash,
    body_hash: bodyHash,
    render_version: version.toString(),
    audit_head: input.issue?.auditHead,
    corrects: input.credit?.corrects.id,
    issued_at: input.issue?.issuedAt,
    due_at: input.issue?.dueAt,
  };
}

function toInvoice(row: InvoiceRow): StoredInvoice {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    kind: row.kind,
    period: row.period,
    state: row.state,
    number: row.number,
    totalCents: BigInt(row.total_cents),
    input: invoiceInput.parse(row.input),
    inputHash: row.input_hash,
    bodyHash: row.body_hash,
    renderVersion: BigInt(row.render_version),
    corrects: row.corrects,
    issuedAt: row.issued_at,
    dueAt: row.due_at,
    voidedAt: row.voided_at,
    voidReason: row.void_reason,
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && REFUSALS.includes(String(error.code));
}
