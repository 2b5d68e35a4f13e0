import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ClientBase, Pool, PoolClient, QueryResult } from 'pg';
import type { DataSource, Driver } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { NoUnitOfWork, NotCommitted, TooManyStatements } from './database.errors';
import { allowStatement } from './guarded-pool';

/** What a repository needs of a unit of work: statements inside its transaction. */
export interface Statements {
  /** Runs a statement and answers its rows. int8 and numeric arrive as strings. */
  query<Row extends object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /**
   * The same for the statements of the hot path, and for those that look every second whether there is work: parsed and
   * planned once per connection, where the planning of a partitioned table would cost more than the work. `sql` must be a
   * constant; or one of a few that are named by the caller, such as one for each day.
   */
  prepared<Row extends object>(sql: string, parameters?: readonly unknown[], name?: string): Promise<Row[]>;
}

/** Statements a process prepares at most. A constant statement is counted once; one built from data would pass this. */
const MAX_PREPARED = 300;

const names = new Map<string, string>();

/** "cached plan must not change result type": a migration has changed what a prepared statement answers. */
const STALE_PLAN = '0A000';

/**
 * One transaction on a connection of its own, by the driver: TypeORM's query runner broadcasts events around every
 * statement, which cost more than sending it. TypeORM keeps the pool.
 */
export class Transaction implements Statements {
  private over = false;
  private endAllowance = (): void => undefined;

  private constructor(private readonly client: PoolClient) {}

  /** True from the moment it ends: the connection is somebody else's then. */
  get isOver(): boolean {
    return this.over;
  }

  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects.
   * @throws {NotCommitted} when a statement failed and `work` kept that to itself
   */
  static async run<T>(source: DataSource, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await poolOf(source).connect();
    let broken: Error | undefined;
    // Without a listener a connection that breaks while nothing is asked would end the process.
    const onError = (error: Error) => (broken = error);
    client.on('error', onError);
    const transaction = new Transaction(client);
    try {
      // Not waited for: the first statement follows it, and fails with it when the connection breaks.
      const begun = send(client, { text: 'BEGIN' });
      begun.catch(() => undefined);
      const result = await work(transaction);
      await begun;
      transaction.over = true;
      // Where a statement failed, PostgreSQL answers COMMIT with ROLLBACK and no error.
      const { command } = await send(client, { text: 'COMMIT' });
      if (command !== 'COMMIT') throw new NotCommitted();
      return result;
    } catch (error) {
      transaction.over = true;
      // Prepared anew on another connection; on this one it would fail for as long as it lives.
      if (error instanceof Error && (error as { readonly code?: unknown }).code === STALE_PLAN) broken ??= error;
      // What the work met is told, not what came of taking it back.
      await send(client, { text: 'ROLLBACK' }).catch((failed: unknown) => {
        broken ??= failed instanceof Error ? failed : new Error('ROLLBACK failed');
      });
      throw error;
    } finally {
      client.off('error', onError);
      transaction.endAllowance();
      client.release(broken);
    }
  }

  /** Runs a statement that needs no other beside it. */
  static async alone<Row extends object>(
    source: DataSource,
    sql: string,
    parameters: readonly unknown[],
  ): Promise<Row[]> {
    return (await poolOf(source).query<Row>({ name: nameOf(sql), text: sql, values: parameters.map(asText) })).rows;
  }

  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await send<Row>(this.connection, { text: sql, values: [...parameters] })).rows;
  }

  async prepared<Row extends object>(sql: string, parameters: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const statement = { name: name ?? nameOf(sql), text: sql, values: parameters.map(asText) };
    return (await send<Row>(this.connection, statement)).rows;
  }

  /** From here on a statement of this transaction may take so long, where 15 s are what a process allows (createDataSource). */
  async allowStatements(seconds: number): Promise<void> {
    await this.query(`SELECT set_config('statement_timeout', $1, true)`, [`${String(seconds)}s`]);
    this.endAllowance();
    this.endAllowance = allowStatement(streamOf(this.client), seconds * 1_000);
  }

  private get connection(): ClientBase {
    if (this.over) throw new NoUnitOfWork();
    return this.client;
  }
}

/** What pg offers on a client but does not type. */
interface ConnectedClient extends ClientBase {
  readonly connection: { readonly stream: Socket };
}

const streamOf = (client: ClientBase) => (client as ConnectedClient).connection.stream;

/**
 * Statements that are made in one go (BEGIN and the first one; those of several tenants side by side) leave in one write:
 * a write to the socket costs more than what it carries.
 */
function send<Row extends object>(
  client: ClientBase,
  statement: { readonly name?: string; readonly text: string; readonly values?: unknown[] },
): Promise<QueryResult<Row>> {
  const stream = streamOf(client);
  stream.cork();
  process.nextTick(() => {
    stream.uncork();
  });
  return new Promise((resolve, reject) => {
    client.query<Row>(statement, (error: Error | null, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

function poolOf(source: DataSource): Pool {
  const driver = source.driver as Driver & Pick<PostgresDriver, 'master'>;
  return driver.master as Pool;
}

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    if (names.size >= MAX_PREPARED) throw new TooManyStatements(sql);
    name = createHash('sha1').update(sql).digest('hex');
    names.set(sql, name);
  }
  return name;
}

const NEEDS_ESCAPE = /["\\]/;

/** A list of texts, numbers and nulls as PostgreSQL reads it; the driver would look at every element three times. */
function asText(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  let list = '';
  for (const item of value as readonly unknown[]) {
    const comma = list === '' ? '' : ',';
    if (item === null) list += `${comma}NULL`;
    else if (typeof item === 'number') list += `${comma}${String(item)}`;
    else if (typeof item === 'string' && !NEEDS_ESCAPE.test(item)) list += `${comma}"${item}"`;
    else return value;
  }
  return `{${list}}`;
}
