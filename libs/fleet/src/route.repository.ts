import { UnitOfWork } from '@libs/database';
import type { AwsAccountId, LaneId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { RouteHold } from './route-hold.policy';

/** A tenant's way out of a sending account for one stream: its configuration set there, bound to a lane. */
export interface Route extends RouteHold {
  readonly tenantId: TenantId;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
  readonly configurationSet: string;
  readonly laneId: LaneId;
  /** Null while it is not, or no longer, as it should be on AWS. */
  readonly readyAt: Date | null;
  /** When SES last said that sending through it is paused; null while it is not. */
  readonly pausedAt: Date | null;
}

/** A tenant on a sending account, with everything its sessions are made from. */
export interface Sender {
  readonly sendingAccountId: SendingAccountId;
  readonly tenantId: TenantId;
  readonly region: string;
  readonly mode: Mode;
  /** 12 digits. */
  readonly accountId: string;
  readonly externalId: string;
  readonly sendRoleArn: string;
  readonly manageRoleArn: string;
  readonly domains: readonly string[];
}

const COLUMNS = `tenant_id AS "tenantId", sending_account_id AS "sendingAccountId", stream, name AS "configurationSet",
  lane_id AS "laneId", ready_at AS "readyAt", paused_at AS "pausedAt", held_until AS "heldUntil", held_for AS "heldFor", refusals`;
const LIST = `SELECT ${COLUMNS} FROM configuration_set WHERE tenant_id = $1 ORDER BY sending_account_id, stream`;
const LOCK = `SELECT ${COLUMNS} FROM configuration_set WHERE tenant_id = $1 AND sending_account_id = $2 AND name = $3 FOR UPDATE`;

const SENDERS = `
  SELECT s.id AS "sendingAccountId", w.tenant_id AS "tenantId", s.region, a.mode, a.account_id AS "accountId",
         a.external_id AS "externalId", a.send_role_arn AS "sendRoleArn", a.manage_role_arn AS "manageRoleArn",
         ARRAY(SELECT d.name FROM domain d WHERE d.tenant_id = w.tenant_id ORDER BY d.id) AS domains
    FROM unnest($1::uuid[], $2::uuid[]) AS w(account, tenant_id)
    JOIN sending_account s ON s.id = w.account JOIN aws_account a ON a.id = s.aws_account_id`;

@Injectable()
export class RouteRepository {
  constructor(private readonly uow: UnitOfWork) {}

  list(tenant: TenantId): Promise<Route[]> {
    return this.uow.query<Route>(LIST, [tenant]);
  }

  /** Pair by pair; a pair whose account is gone is left out. Outside of any unit: what is committed now. */
  senders(accounts: readonly SendingAccountId[], tenants: readonly TenantId[]): Promise<Sender[]> {
    return this.uow.look<Sender>(SENDERS, [accounts, tenants]);
  }

  async save(tenant: TenantId, route: Route): Promise<void> {
    await this.uow.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at, paused_at, held_until, held_for, refusals)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (tenant_id, sending_account_id, stream)
         DO UPDATE SET name = excluded.name, lane_id = excluded.lane_id, ready_at = excluded.ready_at, paused_at = excluded.paused_at,
                       held_until = excluded.held_until, held_for = excluded.held_for, refusals = excluded.refusals`,
      [
        tenant,
        route.sendingAccountId,
        route.stream,
        route.configurationSet,
        route.laneId,
        route.readyAt,
        route.pausedAt,
        route.heldUntil,
        route.heldFor,
        route.refusals,
      ],
    );
  }

  /** The route of that configuration set, held by this transaction. */
  async lock(tenant: TenantId, account: SendingAccountId, configurationSet: string): Promise<Route | undefined> {
    const [row] = await this.uow.query<Route>(LOCK, [tenant, account, configurationSet]);
    return row;
  }

  /** Holds of an AWS account's routes because its send role was denied end now. */
  async endDenials(awsAccount: AwsAccountId, now: Date): Promise<void> {
    await this.uow.query(
      `UPDATE configuration_set SET held_until = $2
        WHERE held_for = 'DENIED' AND held_until > $2
          AND sending_account_id IN (SELECT id FROM sending_account WHERE aws_account_id = $1)`,
      [awsAccount, now],
    );
  }

  async invalidate(tenant: TenantId, account: SendingAccountId): Promise<void> {
    await this.uow.query(
      'UPDATE configuration_set SET ready_at = NULL WHERE tenant_id = $1 AND sending_account_id = $2',
      [tenant, account],
    );
  }
}
