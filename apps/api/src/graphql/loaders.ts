import DataLoader from 'dataloader';

/** A request's loader: asks once for all ids of a level of the query, and never outlives the request. */
export type Loader<Value> = DataLoader<string, Value>;

/** @param find answers what it found, in any order; what it does not answer is null */
export function loaderById<Row, Value>(
  find: (ids: readonly string[]) => Promise<readonly Row[]>,
  idOf: (row: Row) => string,
  map: (row: Row) => Value,
): Loader<Value | null> {
  return new DataLoader<string, Value | null>(
    async (ids) => {
      const found = new Map((await find(ids)).map((row) => [idOf(row), row]));
      return ids.map((id) => {
        const row = found.get(id);
        return row === undefined ? null : map(row);
      });
    },
    { maxBatchSize: 500 },
  );
}

/** Rows that belong to an id, an empty list when there are none. */
export function loaderOfMany<Row, Value>(
  find: (ids: readonly string[]) => Promise<readonly Row[]>,
  ownerOf: (row: Row) => string,
  map: (row: Row) => Value,
): Loader<Value[]> {
  return new DataLoader<string, Value[]>(
    async (ids) => {
      const byOwner = new Map<string, Value[]>(ids.map((id) => [id, []]));
      for (const row of await find(ids)) byOwner.get(ownerOf(row))?.push(map(row));
      return ids.map((id) => byOwner.get(id) ?? []);
    },
    { maxBatchSize: 500 },
  );
}

/** The row of an id that a foreign key promises. */
export async function mustLoad<Value>(loader: Loader<Value | null>, id: string): Promise<Value> {
  const value = await loader.load(id);
  if (value === null) throw new Error(`row ${id} is gone although another one names it`);
  return value;
}
