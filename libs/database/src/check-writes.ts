import type { UnitOfWork } from './unit-of-work';

/** The server answers and takes no writes: a standby, or one that was set read-only. */
export class DatabaseReadOnly extends Error {
  constructor() {
    super('PostgreSQL takes no writes: it is a standby, or default_transaction_read_only is on');
    this.name = 'DatabaseReadOnly';
  }
}

/** Whether the server of the open unit of work takes writes. @throws DatabaseReadOnly; the connection's error */
export async function checkWrites(uow: UnitOfWork): Promise<void> {
  const [row] = await uow.query<{ refuses: boolean }>(
    `SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS refuses`,
  );
  if (row?.refuses !== false) throw new DatabaseReadOnly();
}
