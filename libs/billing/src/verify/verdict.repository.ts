import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { ALLOW_SCANS, SCAN_SECONDS } from '../scans.sql';
import type { Verdict } from './verify.service';

/** What was found, and when. */
export interface StoredVerdict extends Verdict {
  readonly judgedAt: Date;
}

interface VerdictRow {
  invariant: string;
  name: string;
  violations: string;
  examples: string[];
  judged_at: Date;
}

/** The running month first, if lines of it are stored, and the last one that is closed, be it final or not. */
const MONTHS = `
  SELECT period FROM billing_period WHERE period = $1 AND refreshed_at IS NOT NULL
   UNION ALL
  (SELECT period FROM billing_period WHERE period < $1 AND state <> 'OPEN' ORDER BY period DESC LIMIT 1)`;

/** What the nightly judgement found. Every method runs in a unit of its caller. */
@Injectable()
export class VerdictRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The months that are worth judging. @param running `YYYY-MM` */
  async months(running: string): Promise<string[]> {
    return (await this.uow.query<{ period: string }>(MONTHS, [running])).map((row) => row.period);
  }

  /** Whether it is this process that judges the month until the unit ends. */
  async claim(period: string): Promise<boolean> {
    const [row] = await this.uow.query<{ mine: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('verdict ' || $1, 0)) AS mine`,
      [period],
    );
    return row?.mine === true;
  }

  /** The rest of this unit reads a month as a whole. */
  async allowScans(): Promise<void> {
    await this.uow.allowStatements(SCAN_SECONDS);
    await this.uow.query(ALLOW_SCANS);
  }

  /** In the order of invariants; none before the month is judged for the first time. */
  async of(period: string): Promise<StoredVerdict[]> {
    const rows = await this.uow.query<VerdictRow>(
      `SELECT invariant::text AS invariant, name, violations::text AS violations, examples, judged_at
         FROM billing_verdict WHERE period = $1 ORDER BY billing_verdict.invariant`,
      [period],
    );
    return rows.map((row) => ({
      id: BigInt(row.invariant),
      name: row.name,
      violations: BigInt(row.violations),
      examples: row.examples,
      judgedAt: row.judged_at,
    }));
  }

  /** Replaces what was found before. */
  async store(period: string, verdicts: readonly Verdict[], at: Date): Promise<void> {
    const rows = verdicts.map(({ id, name, violations, examples }) => ({
      invariant: id.toString(),
      name,
      violations: violations.toString(),
      examples,
    }));
    await this.uow.query(
      `INSERT INTO billing_verdict AS v (period, invariant, name, violations, examples, judged_at)
       SELECT $1, invariant, name, violations, ARRAY (SELECT jsonb_array_elements_text(examples)), $3
         FROM jsonb_to_recordset($2::jsonb) AS found (invariant smallint, name text, violations bigint, examples jsonb)
       ON CONFLICT (period, invariant) DO UPDATE
         SET name = excluded.name, violations = excluded.violations, examples = excluded.examples, judged_at = excluded.judged_at`,
      [period, JSON.stringify(rows), at],
    );
  }
}
