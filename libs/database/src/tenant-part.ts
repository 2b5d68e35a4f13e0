import type { TenantId } from '@libs/kernel';
import type { Statements, Transaction } from './transaction';

/** Both values are bound to this transaction; the policies compare the second with its start. */
const BIND_TENANT = `
  SELECT set_config('app.tenant', $1, true),
         set_config('app.tenant_at', extract(epoch FROM transaction_timestamp())::text, true)`;

/**
 * One tenant's statements in a transaction. Where the statement before was another tenant's, its own is bound first: both
 * go out together, so nothing comes between them, and when binding fails the transaction takes no further statement.
 */
export class TenantPart implements Statements {
  private constructor(
    private readonly transaction: Transaction,
    private readonly tenant: TenantId,
    /** Shared by the parts of one transaction. */
    private readonly connection: { bound: TenantId | undefined },
  ) {}

  static of(transaction: Transaction, tenants: readonly TenantId[]): ReadonlyMap<TenantId, TenantPart> {
    const connection = { bound: undefined };
    return new Map(tenants.map((tenant) => [tenant, new TenantPart(transaction, tenant, connection)]));
  }

  query<Row extends object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    this.bind();
    return this.transaction.query<Row>(sql, parameters);
  }

  prepared<Row extends object>(sql: string, parameters?: readonly unknown[], name?: string): Promise<Row[]> {
    this.bind();
    return this.transaction.prepared<Row>(sql, parameters, name);
  }

  private bind(): void {
    if (this.connection.bound === this.tenant) return;
    this.connection.bound = this.tenant;
    this.transaction.prepared(BIND_TENANT, [this.tenant]).catch(() => undefined);
  }
}
