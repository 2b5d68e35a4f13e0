import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** A way out that is not there, for which mail waits that no placement asks for any more. */
export interface StrandedRoute {
  readonly tenantId: TenantId;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
  readonly laneId: LaneId;
}

// In any order: what cannot be made anew for days keeps nothing behind it waiting.
const STRANDED = `
  SELECT c.tenant_id AS "tenantId", c.sending_account_id AS "sendingAccountId", c.stream, c.lane_id AS "laneId"
    FROM configuration_set c JOIN sending_account s ON s.id = c.sending_account_id
   WHERE c.ready_at IS NULL AND (c.paused_at IS NULL OR c.paused_at <= $1)
     AND NOT EXISTS (SELECT FROM placement p WHERE p.tenant_id = c.tenant_id AND p.mode = s.mode AND p.stream = c.stream AND p.valid_to IS NULL)
     AND EXISTS (SELECT FROM backlog b WHERE b.tenant_id = c.tenant_id AND b.mode = s.mode AND b.stream = c.stream
                  AND b.sending_account_id = c.sending_account_id)
   ORDER BY random() LIMIT $2`;

@Injectable()
export class StrandedRoutesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @param pausedBefore of those that are paused at SES, only what was last looked at before that */
  find(pausedBefore: Date, limit: number): Promise<StrandedRoute[]> {
    return this.uow.look<StrandedRoute>(STRANDED, [pausedBefore, limit]);
  }
}
