import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { Day } from './day-partition.policy';

/** The tables that have a partition per day. */
export const PARTITIONED = [
  'message',
  'message_body',
  'recipient',
  'message_tag',
  'batch',
  'attempt',
  'message_event',
] as const;
export type Partitioned = (typeof PARTITIONED)[number];

/** Rows that found no day: how many there are, and how many ever came. Both are PostgreSQL's estimates. */
export interface DefaultRows {
  readonly table: string;
  readonly live: number;
  readonly inserted: number;
}

// One process at a time: two that make or drop the same table would fail each other.
const TURN = `SELECT pg_try_advisory_xact_lock(hashtextextended('postfleet.day-partitions', 0)) AS mine`;

// Whatever is still to be sent stands in one of these three at every moment.
const OLDEST_LIVE = `
  SELECT id FROM (
    (SELECT message_id AS id FROM backlog ORDER BY message_id LIMIT 1) UNION ALL
    (SELECT message_id FROM in_doubt ORDER BY message_id LIMIT 1) UNION ALL
    (SELECT unnest(message_ids) FROM batch WHERE state = 'OPEN')) AS live
   ORDER BY id LIMIT 1`;

const OLD_PARTITIONS = `
  SELECT count(*)::int AS count FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = to_regclass($1) AND c.relname LIKE $1 || '\\_p________'
     AND c.relname < $1 || '_p' || to_char($2::date, 'YYYYMMDD')`;

const DEFAULT_ROWS = `
  SELECT relname AS "table", n_live_tup::int AS live, n_tup_ins::float8 AS inserted
    FROM pg_stat_user_tables WHERE schemaname = 'public' AND relname = ANY($1::text[]) ORDER BY relname`;

@Injectable()
export class PartitionRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Whether this process may change partitions until its transaction ends; false while another one does. */
  async takeTurn(): Promise<boolean> {
    const [row] = await this.uow.query<{ mine: boolean }>(TURN);
    return row?.mine === true;
  }

  /** Makes what is missing of a day and answers how many tables that were. */
  async create(day: Day): Promise<number> {
    const [row] = await this.uow.query<{ made: number }>('SELECT create_day_partitions($1::date, 1) AS made', [day]);
    return row?.made ?? 0;
  }

  /** How many days of a table are older than that one. */
  async countBefore(table: Partitioned, before: Day): Promise<number> {
    const [row] = await this.uow.query<{ count: number }>(OLD_PARTITIONS, [table, before]);
    return row?.count ?? 0;
  }

  async dropBefore(table: Partitioned, before: Day): Promise<number> {
    const [row] = await this.uow.query<{ dropped: number }>('SELECT drop_day_partitions($1, $2::date) AS dropped', [
      table,
      before,
    ]);
    return row?.dropped ?? 0;
  }

  /** The smallest id of a message that waits, flies or is in doubt. */
  async oldestLive(): Promise<string | undefined> {
    const [row] = await this.uow.query<{ id: string }>(OLDEST_LIVE);
    return row?.id;
  }

  defaultRows(): Promise<DefaultRows[]> {
    return this.uow.query<DefaultRows>(DEFAULT_ROWS, [PARTITIONED.map((table) => `${table}_default`)]);
  }
}
