import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';

/** Whoever holds back the removal of dead rows: a session, a prepared transaction or a replication slot. */
export interface SnapshotHolder {
  /** `session 4711 pg_dump`, `slot standby_1`, `prepared gid`. */
  readonly name: string;
  /** Its oldest transaction, as PostgreSQL writes it. */
  readonly xmin: string;
  /** How many transactions began since. */
  readonly age: number;
}

// Autovacuum holds nothing back and has no user. What others do is hidden from this role, how old their view is is not. Views of
// other databases of the server hold nothing back in this one; those without a database (standbys, physical slots) do everywhere.
const OLDEST = `
  SELECT name, xmin::text AS xmin, age(xmin) AS age FROM (
    SELECT concat('session ', pid, ' ', application_name) AS name, coalesce(backend_xmin, backend_xid) AS xmin, datname AS database
      FROM pg_stat_activity WHERE usesysid IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL SELECT 'slot ' || slot_name, xmin, database FROM pg_replication_slots
    UNION ALL SELECT 'prepared ' || gid, transaction, database FROM pg_prepared_xacts) AS holder
   WHERE xmin IS NOT NULL AND coalesce(database, current_database()) = current_database()
   ORDER BY age(xmin) DESC LIMIT 1`;

@Injectable()
export class HeldSnapshotRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async oldest(): Promise<SnapshotHolder | undefined> {
    const [row] = await this.uow.query<SnapshotHolder>(OLDEST);
    return row;
  }
}
