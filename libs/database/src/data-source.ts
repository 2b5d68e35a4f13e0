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
  /** Plans statements once, by their shape: for the engine, whose statements all go by keys. */
  readonly genericPlans?: boolean;
  /** Never reads a whole table where there is an index: for processes whose every statement has one. */
  readonly indexPlans?: boolean;
  readonly onDirtyRelease?: DirtyRelease;
}

// The day's partition is empty when its statements are planned first. Reading all of it looks cheap then and stays in
// the plan while it grows to millions of rows.
const INDEX_PLANS = '-c enable_seqscan=off';
const GENERIC_PLANS = `-c plan_cache_mode=force_generic_plan ${INDEX_PLANS}`;

/** A connection keeps what it prepared, and the engine names tables of each day: none lives long enough to gather many. */
const CONNECTION_SECONDS = 3_600;

/** Until an unused one is closed. To open one, warm its caches and plan its statements anew costs 50 to 100 ms of CPU. */
const IDLE_MS = 300_000;

/** What the server lets a statement take. */
const STATEMENT_MS = 15_000;

/** An unused connection is looked at by the kernel after so long: its server may be gone. */
const KEEP_ALIVE_MS = 10_000;

/** A data source on the guarded pool. Time-outs are the server's: a client-side one leaves its transaction open. */
export function createDataSource(options: DataSourceOptions): DataSource {
  const statementMs = options.statementTimeoutMs ?? STATEMENT_MS;
  return new DataSource({
    type: 'postgres',
    url: options.url,
    driver: { ...pg, Pool: guardedPool(options.onDirtyRelease ?? (() => undefined), statementMs) },
    applicationName: options.applicationName,
    poolSize: options.poolSize,
    synchronize: false,
    migrationsRun: false,
    entities: (options.entities ?? []) as never,
    extra: {
      statement_timeout: statementMs,
      idle_in_transaction_session_timeout: 15_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      maxLifetimeSeconds: CONNECTION_SECONDS,
      idleTimeoutMillis: IDLE_MS,
      // A unit's first statement goes out with its BEGIN, in one round trip.
      pipeline: true,
      ...planning(options),
    },
  });
}

function planning({ genericPlans, indexPlans }: DataSourceOptions): { options?: string } {
  if (genericPlans === true) return { options: GENERIC_PLANS };
  return indexPlans === true ? { options: INDEX_PLANS } : {};
}
