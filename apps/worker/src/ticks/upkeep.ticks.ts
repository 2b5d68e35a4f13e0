import { ObservationService, SubscriptionService } from '@libs/fleet';
import { ProvisioningService } from '@libs/placement';
import { Outbox } from '@libs/queueing';
import { EventApplier, HeldSnapshotWatch, IdempotencyService, PartitionService } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { ALL_JOBS } from '../jobs';
import { NOT_DONE, Tick } from './tick.decorator';

export const OUTBOX_TICK = 'outbox';

/** What must happen even when the job that hints at it was lost. */
@Injectable()
export class UpkeepTicks {
  constructor(
    private readonly outbox: Outbox,
    private readonly events: EventApplier,
    private readonly provisioning: ProvisioningService,
    private readonly idempotency: IdempotencyService,
    private readonly observation: ObservationService,
    private readonly subscriptions: SubscriptionService,
    private readonly partitions: PartitionService,
    private readonly snapshots: HeldSnapshotWatch,
  ) {}

  /** Woken when a row is committed; this finds the row whose hint was lost. */
  @Tick({ name: OUTBOX_TICK, everyMs: 1_000 })
  drainOutbox(): Promise<unknown> {
    return this.outbox.drain(ALL_JOBS);
  }

  @Tick({ name: 'events', everyMs: 1_000 })
  async applyEvents(): Promise<unknown> {
    const { taken } = await this.events.applyStored();
    return taken > 0 && NOT_DONE;
  }

  /** A move that takes too long is given up. */
  @Tick({ name: 'provision', everyMs: 2_000, byDate: true })
  provision(): Promise<void> {
    return this.provisioning.advance();
  }

  @Tick({ name: 'dedicated-ips', everyMs: 60_000 })
  discoverIps(): Promise<void> {
    return this.observation.discoverAllIps();
  }

  @Tick({ name: 'subscriptions', everyMs: 10_000 })
  followAddress(): Promise<void> {
    return this.subscriptions.followAddress();
  }

  @Tick({ name: 'idempotency', everyMs: 60_000, byDate: true })
  forgetIdempotencyKeys(): Promise<unknown> {
    return this.idempotency.forgetOld();
  }

  @Tick({ name: 'partitions', everyMs: 600_000 })
  async keepPartitions(): Promise<void> {
    await this.partitions.createAhead();
    await this.partitions.watchDefaults();
  }

  @Tick({ name: 'held-snapshots', everyMs: 15_000 })
  watchSnapshots(): Promise<unknown> {
    return this.snapshots.watch();
  }
}
