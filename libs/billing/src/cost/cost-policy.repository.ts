import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { DEFAULT_POLICY, type CostPolicy } from './cost-policy';

@Injectable()
export class CostPolicyRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** What holds for a month: what was set for it or, before it, last. */
  async of(period: string): Promise<CostPolicy> {
    const [row] = await this.uow.query<CostPolicy>(
      'SELECT fees, idle FROM cost_policy WHERE period_from <= $1 ORDER BY period_from DESC LIMIT 1',
      [period],
    );
    return row ?? DEFAULT_POLICY;
  }

  /** From that month on, until another one is set for a later month. */
  async set(period: string, policy: CostPolicy): Promise<void> {
    await this.uow.query(
      `INSERT INTO cost_policy (period_from, fees, idle) VALUES ($1, $2, $3)
       ON CONFLICT (period_from) DO UPDATE SET fees = excluded.fees, idle = excluded.idle`,
      [period, policy.fees, policy.idle],
    );
  }

  /** Whether a month from this one on is closed for ever. */
  async isClosedFrom(period: string): Promise<boolean> {
    const rows = await this.uow.query('SELECT FROM billing_period WHERE period >= $1 AND is_closed LIMIT 1', [period]);
    return rows.length > 0;
  }
}
