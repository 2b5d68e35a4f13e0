import type { UnitOfWork } from './unit-of-work';

/**
 * What the server's clock says, milliseconds: to hold another clock against it, or for a time that no clock of a host may set back.
 * Inside of a unit of work.
 */
export async function databaseClock(uow: UnitOfWork): Promise<number> {
  const [row] = await uow.query<{ ms: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms');
  return row?.ms ?? Number.NaN;
}
