import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import type { PeriodState } from '../close/close.policy';
import type { SqlInvariant } from './invariant-sql';

/** How many violations are named; all are counted. */
const NAMED = 10;

/** How much there is to judge: where there is nothing, everything holds. */
export interface Extent {
  readonly state: PeriodState;
  readonly countedDays: bigint;
  readonly lines: bigint;
  readonly invoices: bigint;
}

export interface Violations {
  readonly count: bigint;
  /** The first few, in words. */
  readonly examples: readonly string[];
}

const EXTENT = `
  SELECT coalesce((SELECT state FROM billing_period WHERE period = $1), 'OPEN') AS state,
         (SELECT count(*)::text FROM usage_day WHERE day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                                                 AND day < ($3::timestamptz AT TIME ZONE 'UTC')::date) AS days,
         (SELECT count(*)::text FROM fleet_line WHERE period = $1) AS lines,
         (SELECT count(*)::text FROM invoice WHERE period = $1) AS invoices`;

/**
 * The statement that judges one invariant: a row for each of the first violations, with the count of all.
 * $1 the period, $2 its first moment, $3 the first of the next.
 */
export function statementOf(invariant: SqlInvariant): string {
  // Not every invariant asks for all three; naming them here gives each its type.
  return `WITH asked AS (SELECT $1::text, $2::timestamptz, $3::timestamptz)
    SELECT coalesce(found, 'a violation without words') AS found, count(*) OVER ()::text AS count
      FROM (${invariant.sql}) AS violation ORDER BY 1 LIMIT ${NAMED}`;
}

@Injectable()
export class VerifyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** What is stored of a month. */
  async extent({ name, start, end }: Period): Promise<Extent> {
    const [row] = await this.uow.query<Record<'state' | 'days' | 'lines' | 'invoices', string>>(EXTENT, [
      name,
      start,
      end,
    ]);
    return {
      state: (row?.state ?? 'OPEN') as PeriodState,
      countedDays: BigInt(row?.days ?? '0'),
      lines: BigInt(row?.lines ?? '0'),
      invoices: BigInt(row?.invoices ?? '0'),
    };
  }

  async violations(invariant: SqlInvariant, period: Period): Promise<Violations> {
    const rows = await this.uow.query<{ found: string; count: string }>(statementOf(invariant), [
      period.name,
      period.start,
      period.end,
    ]);
    return { count: BigInt(rows[0]?.count ?? '0'), examples: rows.map((row) => row.found) };
  }
}
