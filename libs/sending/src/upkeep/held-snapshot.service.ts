import { UnitOfWork } from '@libs/database';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { HeldSnapshotRepository, type SnapshotHolder } from './held-snapshot.repository';
import { UpkeepSettings } from './upkeep.settings';

/** A view of the data that few transactions passed by costs nothing, however long it is held. */
const PASSED = 1_000;
const AGAIN_MS = 300_000;

/**
 * Watches the oldest view of the data anybody holds: while it stands, dead rows cannot be removed and the tables that
 * change all the time grow. Its age in time is how long it has been seen to stand.
 */
@Injectable()
export class HeldSnapshotWatch {
  private standing: { readonly xmin: string; readonly sinceMs: number } | undefined;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  private readonly transactions;
  private readonly seconds;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly snapshots: HeldSnapshotRepository,
    private readonly settings: UpkeepSettings,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.transactions = metrics.gauge('oldest_xmin_transactions', 'Transactions since the oldest view that is held');
    this.seconds = metrics.gauge('oldest_xmin_seconds', 'How long the oldest view has been seen to be held');
  }

  /** For a tick. Answers who has held one for too long. */
  async watch(): Promise<SnapshotHolder | undefined> {
    const oldest = await this.uow.forSystem(() => this.snapshots.oldest());
    const nowMs = this.settings.clock.nowMs();
    if (oldest?.xmin !== this.standing?.xmin) {
      this.standing = oldest && { xmin: oldest.xmin, sinceMs: nowMs };
    }
    const heldSeconds = this.standing ? (nowMs - this.standing.sinceMs) / 1_000 : 0;
    this.transactions.set(oldest?.age ?? 0);
    this.seconds.set(heldSeconds);
    if (!oldest || oldest.age < PASSED || heldSeconds < this.settings.heldSnapshotSeconds) return undefined;
    if (nowMs - this.toldAtMs >= AGAIN_MS) {
      this.toldAtMs = nowMs;
      this.log.warn('a transaction is held open so long that dead rows cannot be removed: end it', {
        holder: oldest.name,
        seconds: Math.floor(heldSeconds),
        transactions: oldest.age,
      });
    }
    return oldest;
  }
}
