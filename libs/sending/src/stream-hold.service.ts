import { UnitOfWork } from '@libs/database';
import { EngineClock, type Stream, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { StreamHoldRepository, type StreamHold } from './stream-hold.repository';

/**
 * Stops a stream of a tenant for a time: nothing of it is accepted, and what waits stays where it is. What the ledger has
 * granted already still goes, a few seconds of mail. The reason is always the tenant's own spend cap.
 */
@Injectable()
export class StreamHolds {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: StreamHoldRepository,
    private readonly clock: EngineClock,
  ) {}

  /** Joins the caller's unit. Answers those that were not held until then before. */
  hold(holds: readonly StreamHold[]): Promise<StreamHold[]> {
    return this.rows.put(holds, this.clock.now());
  }

  /** Joins the caller's unit. Answers whose stream was held. */
  release(tenants: readonly TenantId[], stream: Stream): Promise<TenantId[]> {
    return this.rows.remove(tenants, stream);
  }

  /** Until when the stream is held; null while it is not. */
  async heldUntil(tenant: TenantId, stream: Stream): Promise<Date | null> {
    const hold = await this.uow.forTenant(tenant, () => this.rows.find(tenant, stream));
    return hold && hold.until > this.clock.now() ? hold.until : null;
  }
}
