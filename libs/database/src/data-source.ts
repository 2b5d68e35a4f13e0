import pg from 'pg';
import { DataSource, type MixedList } from 'typeorm';
import { guardedPool, type DirtyRelease } from './guarded-pool';

export interface DataSourceOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly poolSize: number;
  readonly entities?: MixedList<new () => object>;
  readonly statementTimeoutMs?: number;
  /** Plans statements without looking at their parameters, so that a prepared one is planned once: for the engine. */
  readonly genericPlans?: boolean;
  readonly onDirtyRelease?: DirtyRelease;
}

/** A data source on the guarded pool. Time-outs are the server's: a client-side one leaves its transaction open. */
export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    driver: { ...pg, Pool: guardedPool(options.onDirtyRelease ?? (() => undefined)) },
    applicationName: options.applicationName,
    poolSize: options.poolSize,
    synchronize: false,
    migrationsRun: false,
    entities: (options.entities ?? []) as never,
    extra: {
      statement_timeout: options.statementTimeoutMs ?? 15_000,
      idle_in_transaction_session_timeout: 15_000,
      connectionTimeoutMillis: 5_000,
      ...(options.genericPlans === true ? { options: '-c plan_cache_mode=force_generic_plan' } : {}),
    },
  });
}
