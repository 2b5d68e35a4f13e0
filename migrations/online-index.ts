import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

interface OnlineIndex {
  readonly name: string;
  /** A table of day partitions. */
  readonly table: string;
  /** Columns and condition, as CREATE INDEX has them. */
  readonly on: string;
}

/** So long a short lock may be waited for, with everybody who writes waiting behind it. */
const LOCK_TIMEOUT_MS = 500;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * An index of a table of days that is made while rows are accepted and sent: day by day, each beside its writers. Cannot be part
 * of a transaction, so its migration says `transaction = false`; one that was broken off goes on where it was.
 */
export async function createIndexOnline(q: QueryRunner, index: OnlineIndex): Promise<void> {
  await patiently(q, `CREATE INDEX IF NOT EXISTS ${index.name} ON ONLY ${index.table} ${index.on}`);
  for (;;) {
    // Days that are made from now on have it from their first row on.
    const [day] = await daysWithout(q, index);
    if (day === undefined) return;
    await indexDay(q, index, day);
  }
}

async function indexDay(q: QueryRunner, { name, table, on }: OnlineIndex, day: string): Promise<void> {
  const part = `${name}${day.slice(table.length)}`;
  // What was left by one that was broken off is not valid and never will be.
  await q.query(`DROP INDEX CONCURRENTLY IF EXISTS ${part}`);
  await q.query(`CREATE INDEX CONCURRENTLY ${part} ON ${day} ${on}`);
  await patiently(q, `ALTER INDEX ${name} ATTACH PARTITION ${part}`);
}

async function daysWithout(q: QueryRunner, { name, table }: OnlineIndex): Promise<string[]> {
  const rows = (await q.query(
    `SELECT c.relname AS day FROM pg_partition_tree($1::regclass) t JOIN pg_class c ON c.oid = t.relid
      WHERE t.isleaf AND NOT EXISTS (
        SELECT FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
         WHERE i.indrelid = t.relid AND h.inhparent = $2::regclass)
      ORDER BY 1`,
    [table, name],
  )) as { day: string }[];
  return rows.map(({ day }) => day);
}

/** A statement that locks for a moment only, but would have everybody wait who comes after it while it waits itself. */
async function patiently(q: QueryRunner, sql: string): Promise<void> {
  await q.query(`SET lock_timeout = ${String(LOCK_TIMEOUT_MS)}`);
  try {
    for (;;) {
      try {
        await q.query(sql);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
        await sleep(LOCK_TIMEOUT_MS);
      }
    }
  } finally {
    await q.query('RESET lock_timeout');
  }
}
