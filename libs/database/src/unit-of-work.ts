import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { TenantId } from '@libs/kernel';
import type { ClientBase } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { NoUnitOfWork, TenantSwitch, TooManyStatements } from './database.errors';

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
  { readonly kind: 'tenant'; readonly tenant: TenantId } | { readonly kind: 'system' } | { readonly kind: 'edge' };

interface Unit {
  readonly scope: Scope;
  readonly manager: EntityManager;
  readonly afterCommit: (() => Promise<void> | void)[];
}

type Rows = readonly object[];

/** Statements a process prepares at most. A constant statement is counted once; one built from data would pass this. */
const MAX_PREPARED = 300;

/** Both values are bound to this transaction; the policies compare the second with its start. */
const BIND_TENANT = `
  SELECT set_config('app.tenant', $1, true),
         set_config('app.tenant_at', extract(epoch FROM transaction_timestamp())::text, true)`;

/**
 * One transaction, found by every repository without being passed around. A nested call of the same scope joins; a
 * different tenant inside throws. Effects on the outside world are registered with onCommit and dropped on rollback.
 */
export class UnitOfWork {
  private readonly units = new AsyncLocalStorage<Unit>();
  private readonly confinement = new AsyncLocalStorage<TenantId>();
  private readonly names = new Map<string, string>();

  constructor(private readonly pools: Pools) {}

  /** Work on one tenant's rows. Everything else is invisible to it in the api; the worker's role sees what it may. */
  forTenant<T>(tenant: TenantId, work: () => Promise<T>): Promise<T> {
    const confined = this.confinement.getStore();
    if (confined !== undefined && confined !== tenant) throw new TenantSwitch();
    const current = this.units.getStore();
    if (current?.scope.kind === 'system') return work();
    if (current) {
      if (current.scope.kind !== 'tenant' || current.scope.tenant !== tenant) throw new TenantSwitch();
      return work();
    }
    return this.open({ kind: 'tenant', tenant }, this.pools.app ?? this.pools.worker, work);
  }

  /** Work across tenants: operators' requests in the api, the engine in the worker. Refused inside a customer's request. */
  forSystem<T>(work: () => Promise<T>): Promise<T> {
    if (this.confinement.getStore() !== undefined) throw new TenantSwitch();
    const current = this.units.getStore();
    if (current) {
      if (current.scope.kind !== 'system') throw new TenantSwitch();
      return work();
    }
    return this.open({ kind: 'system' }, this.pools.worker ?? this.pools.admin, work);
  }

  /** Work before any tenant is known: looking a key up, storing a notification. Sees no tenant's rows. */
  forEdge<T>(work: () => Promise<T>): Promise<T> {
    if (this.units.getStore()) throw new TenantSwitch();
    return this.open({ kind: 'edge' }, this.pools.app, work);
  }

  /** Reads of what belongs to no tenant (plans, tiers, prices): joins the open unit, whatever it is, or opens an edge one. */
  forShared<T>(work: () => Promise<T>): Promise<T> {
    if (this.units.getStore()) return work();
    return this.open({ kind: 'edge' }, this.pools.app ?? this.pools.worker ?? this.pools.admin, work);
  }

  /** Runs a customer's whole request so that no code below it can reach another tenant or the fleet by mistake. */
  confine<T>(tenant: TenantId, request: () => T): T {
    return this.confinement.run(tenant, request);
  }

  /** Runs a statement in the current unit and answers its rows. int8 and numeric arrive as strings. */
  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const answer: unknown = await this.current().manager.query(sql, [...parameters]);
    // TypeORM answers [rows, count] for UPDATE and DELETE, rows for everything else.
    const rows =
      Array.isArray(answer) && answer.length === 2 && Array.isArray(answer[0]) ? (answer[0] as Rows) : (answer as Rows);
    return rows as Row[];
  }

  /**
   * The same for the statements of the hot path: parsed and planned once per connection, where the planning of a
   * partitioned table would cost more than the work. `sql` must be a constant; or one of a few that are named by the
   * caller, such as one for each day.
   */
  async prepared<Row extends object>(sql: string, parameters: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const client = (await this.current().manager.queryRunner?.connect()) as ClientBase | undefined;
    if (!client) throw new NoUnitOfWork();
    const { rows } = await client.query<Row>({ name: name ?? this.nameOf(sql), text: sql, values: [...parameters] });
    return rows;
  }

  /** The entity manager of the current unit, for repositories that use entities. */
  get manager(): EntityManager {
    return this.current().manager;
  }

  /** Runs `effect` once the current unit has committed; never when it rolls back. Lost if the process dies: see Outbox. */
  onCommit(effect: () => Promise<void> | void): void {
    this.current().afterCommit.push(effect);
  }

  private nameOf(sql: string): string {
    let name = this.names.get(sql);
    if (name === undefined) {
      if (this.names.size >= MAX_PREPARED) throw new TooManyStatements(sql);
      name = createHash('sha1').update(sql).digest('hex');
      this.names.set(sql, name);
    }
    return name;
  }

  private current(): Unit {
    const unit = this.units.getStore();
    if (!unit) throw new NoUnitOfWork();
    return unit;
  }

  private async open<T>(scope: Scope, source: DataSource | undefined, work: () => Promise<T>): Promise<T> {
    if (!source) throw new NoUnitOfWork();
    const afterCommit: Unit['afterCommit'] = [];
    const result = await source.transaction((manager) =>
      this.units.run({ scope, manager, afterCommit }, async () => {
        if (scope.kind === 'tenant') await this.prepared(BIND_TENANT, [scope.tenant]);
        return work();
      }),
    );
    await this.units.exit(async () => {
      for (const effect of afterCommit) await effect();
    });
    return result;
  }
}
