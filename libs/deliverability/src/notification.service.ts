import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { NotificationRepository, type StoredNotification } from './notification.repository';

/** What SNS delivered, waiting to be understood. Work happens inside the caller's unit, which holds the row locks. */
@Injectable()
export class NotificationService {
  constructor(
    private readonly rows: NotificationRepository,
    private readonly uow: UnitOfWork,
  ) {}

  /**
   * At most `limit` stored notifications, oldest first, invisible to other workers until the unit ends.
   * @param id only this one
   */
  takeStored(limit: number, id?: string): Promise<StoredNotification[]> {
    return this.uow.forSystem(() => this.rows.take(limit, id));
  }

  async markDone(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.uow.forSystem(() => this.rows.markDone(ids));
  }

  /** Sets notifications aside for good, each with the reason an operator will read. */
  async reject(rejected: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
    if (rejected.length > 0) await this.uow.forSystem(() => this.rows.reject(rejected));
  }

  /** Whether one waits, seen from outside of any unit: for whoever asks all the time. */
  anyStored(): Promise<boolean> {
    return this.rows.anyStored();
  }

  /** How many wait; for metrics and for "nothing is under way any more". */
  waiting(): Promise<number> {
    return this.uow.forSystem(() => this.rows.countStored());
  }
}
