import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import type { SqlInvariant } from './invariant-sql';

/** How many violations are named; all are counted. */
const NAMED = 10;

export interface Violations {
  readonly count: bigint;
  /** The first few, in words. */
  readonly examples: readonly string[];
}

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

  async violations(invariant: SqlInvariant, period: Period): Promise<Violations> {
    const rows = await this.uow.query<{ found: string; count: string }>(statementOf(invariant), [
      period.name,
      period.start,
      period.end,
    ]);
    return { count: BigInt(rows[0]?.count ?? '0'), examples: rows.map((row) => row.found) };
  }
}
