import { AsyncLocalStorage } from 'node:async_hooks';
import type { TenantId } from '@libs/kernel';
import type { DataSource } from 'typeorm';
import { NoUnitOfWork, TenantSwitch } from './database.errors';
import { TenantPart } from './tenant-part';
import { Transaction, type Statements } from './transaction';

/** Which connection pools this process has; a process gets the roles it needs and no others. */
export interface Pools {
  /** Customer role: row-level security binds it to one tenant per transaction. The api has it. */
  readonly app?: DataSource;
  /** Operators' role. The api has it, for the admin endpoint. */
  readonly admin?: DataSource;
  /** Engine role, crosses tenants on purpose. The worker has it, and uses it for both kinds of work. */
  readonly worker?: DataSource;
}

type Scope =
  | { readonly kind: 'tenant'; readonly tenant: TenantId }
  | { readonly kind: 'tenants'; readonly parts: ReadonlyMap<TenantId, TenantPart> }
  | { readonly kind: 'system' }
  | { readonly kind: 'edge' };

interface Unit {
  readonly scope: Scope;
  readonly transaction: Transaction;
  /** Where statements go; undefined where none may be made. */
  readonly statements: Statements | undefined;
  readonly afterCommit: (() => Promise<void> | void)[];
}

/**
 * One transaction, found by every repository without being passed around. A nested call of the same scope joins; a
 * different tenant inside throws. Effects on the outside world are registered with onCommit and dropped on rollback.
 */
export class UnitOfWork implements Statements {
  private readonly units = new AsyncLocalStorage<Unit>();
  private readonly confinement = new AsyncLocalStorage<TenantId>();
  private open = 0;

  constructor(private readonly pools: Pools) {}

  /** Work on one tenant's rows. Everything else is invisible to it in the api; the worker's role sees what it may. */
  forTenant<T>(tenant: TenantId, work: () => Promise<T>): Promise<T> {
    const confined = this.confinement.getStore();
    if (confined !== undefined && confined !== tenant) throw new TenantSwitch();
    const current = this.joined();
    if (current?.scope.kind === 'system') return work();
    if (current?.scope.kind === 'tenants') {
      const statements = current.scope.parts.get(tenant);
      if (!statements) throw new TenantSwitch();
      return this.units.run({ ...current, scope: { kind: 'tenant', tenant }, statements }, work);
    }
    if (current) {
      if (current.scope.kind !== 'tenant' || current.scope.tenant !== tenant) throw new TenantSwitch();
      return work();
    }
    return this.begin(this.pools.app ?? this.pools.worker, work, (transaction) => ({
      scope: { kind: 'tenant', tenant },
      statements: TenantPart.of(transaction, [tenant]).get(tenant),
    }));
  }

  /**
   * Work on the rows of several tenants that shares one commit. Statements are made inside `forTenant` of one of them: each
   * goes out right after its own tenant was bound, so that every statement sees the rows of one tenant and no other's,
   * also when the parts run side by side. Refused inside a customer's request.
   */
  forTenants<T>(tenants: readonly TenantId[], work: () => Promise<T>): Promise<T> {
    if (this.confinement.getStore() !== undefined || this.joined()) throw new TenantSwitch();
    return this.begin(this.pools.app ?? this.pools.worker, work, (transaction) => ({
      scope: { kind: 'tenants', parts: TenantPart.of(transaction, tenants) },
      statements: undefined,
    }));
  }

  /** Work across tenants: operators' requests in the api, the engine in the worker. Refused inside a customer's request. */
  forSystem<T>(work: () => Promise<T>): Promise<T> {
    if (this.confinement.getStore() !== undefined) throw new TenantSwitch();
    const current = this.joined();
    if (current) {
      if (current.scope.kind !== 'system') throw new TenantSwitch();
      return work();
    }
    return this.begin(this.pools.worker ?? this.pools.admin, work, within({ kind: 'system' }));
  }

  /**
   * The engine's hottest units: a system unit of their own that is handed to the work instead of being found by it. While no
   * other unit is open, promises cost nothing extra then. What is open around it is not joined.
   */
  forEngine<T>(work: (unit: Statements) => Promise<T>): Promise<T> {
    if (!this.pools.worker) throw new NoUnitOfWork();
    return Transaction.run(this.pools.worker, work);
  }

  /**
   * Looks whether there is work across tenants, outside of any unit: one statement that reads, which PostgreSQL makes a
   * transaction by itself. A third of the round trips of a unit, for what is asked all the time and mostly for nothing; no
   * promise pays for a unit to be found. `sql` must be a constant. Refused inside a customer's request.
   */
  look<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const source = this.pools.worker ?? this.pools.admin;
    if (this.confinement.getStore() !== undefined) throw new TenantSwitch();
    if (!source) throw new NoUnitOfWork();
    return Transaction.alone<Row>(source, sql, parameters);
  }

  /** The same for repositories: each statement that they are handed is a look. Several do not see one moment. */
  forLooks<T>(work: (looks: Statements) => Promise<T>): Promise<T> {
    const look = <Row extends object>(sql: string, parameters?: readonly unknown[]) => this.look<Row>(sql, parameters);
    return work({ query: look, prepared: look });
  }

  /** Work before any tenant is known: looking a key up, storing a notification. Sees no tenant's rows. */
  forEdge<T>(work: () => Promise<T>): Promise<T> {
    if (this.joined()) throw new TenantSwitch();
    return this.begin(this.pools.app, work, within({ kind: 'edge' }));
  }

  /** Reads of what belongs to no tenant (plans, tiers, prices): joins the open unit, whatever it is, or opens an edge one. */
  forShared<T>(work: () => Promise<T>): Promise<T> {
    if (this.joined()) return work();
    return this.begin(this.pools.app ?? this.pools.worker ?? this.pools.admin, work, within({ kind: 'edge' }));
  }

  /** Runs a customer's whole request so that no code below it can reach another tenant or the fleet by mistake. */
  confine<T>(tenant: TenantId, request: () => T): T {
    return this.confinement.run(tenant, request);
  }

  /** A statement in the current unit. */
  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.current().query<Row>(sql, parameters);
  }

  /** A statement of the hot path in the current unit. */
  async prepared<Row extends object>(sql: string, parameters: readonly unknown[] = [], name?: string): Promise<Row[]> {
    return this.current().prepared<Row>(sql, parameters, name);
  }

  /**
   * From here on a statement of the current unit may take so long: longer where it reads a day or a month and no request waits
   * for it, less where somebody waits who can ask for less.
   */
  async allowStatements(seconds: number): Promise<void> {
    const unit = this.joined();
    if (!unit) throw new NoUnitOfWork();
    await unit.transaction.allowStatements(seconds);
  }

  /** Runs `effect` once the current unit has committed; never when it rolls back. Lost if the process dies: see Outbox. */
  onCommit(effect: () => Promise<void> | void): void {
    const unit = this.joined();
    if (!unit) throw new NoUnitOfWork();
    unit.afterCommit.push(effect);
  }

  /** What outlives its unit (a connection that was opened in it, say) is in none. */
  private joined(): Unit | undefined {
    const unit = this.units.getStore();
    return unit?.transaction.isOver === false ? unit : undefined;
  }

  private current(): Statements {
    const statements = this.joined()?.statements;
    if (!statements) throw new NoUnitOfWork();
    return statements;
  }

  private async begin<T>(
    source: DataSource | undefined,
    work: () => Promise<T>,
    bounds: (transaction: Transaction) => Pick<Unit, 'scope' | 'statements'>,
  ): Promise<T> {
    if (!source) throw new NoUnitOfWork();
    const afterCommit: Unit['afterCommit'] = [];
    const result = await Transaction.run(source, async (transaction) => {
      this.open += 1;
      try {
        return await this.units.run({ ...bounds(transaction), transaction, afterCommit }, work);
      } finally {
        this.open -= 1;
        // As long as it is on, every promise of the process pays for finding the unit.
        if (this.open === 0) this.units.disable();
      }
    });
    if (afterCommit.length > 0) {
      await this.units.exit(async () => {
        for (const effect of afterCommit) await effect();
      });
    }
    return result;
  }
}

function within(scope: Scope) {
  return (transaction: Transaction) => ({ scope, statements: transaction });
}
