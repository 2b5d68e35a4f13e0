import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

export interface TenantName {
  readonly name: string;
  /** Of the plan it is on now. */
  readonly tier: string;
}

export interface AccountName {
  /** `123456789012 us-east-1` */
  readonly name: string;
  readonly tier: string;
}

/** What people call what reports are about. */
@Injectable()
export class FleetNamesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async tenants(): Promise<Map<TenantId, TenantName>> {
    const rows = await this.uow.query<TenantName & { id: TenantId }>(
      'SELECT tenant.id, tenant.name, plan.tier FROM tenant JOIN plan ON plan.id = tenant.plan_id',
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  async accounts(): Promise<Map<SendingAccountId, AccountName>> {
    const rows = await this.uow.query<AccountName & { id: SendingAccountId }>(
      `SELECT account.id, aws.account_id || ' ' || account.region AS name, account.tier
         FROM sending_account account JOIN aws_account aws ON aws.id = account.aws_account_id`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  async pools(): Promise<Map<LaneId, string>> {
    const rows = await this.uow.query<{ id: LaneId; name: string }>(
      `SELECT id, pool_name AS name FROM lane WHERE kind = 'POOL'`,
    );
    return new Map(rows.map((row) => [row.id, row.name]));
  }
}
