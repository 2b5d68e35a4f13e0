import type { Clock } from '@libs/kernel';

export interface UpkeepOptions {
  /** Real time: ids, and so partitions, carry it whatever the engine's clock says. */
  readonly clock: Clock;
  /** How long a transaction may hold back the removal of dead rows before it is an alarm; seconds. */
  readonly heldSnapshotSeconds: number;
}

/** What an installation may set about the upkeep of storage. */
export class UpkeepSettings {
  readonly clock: Clock;
  readonly heldSnapshotSeconds: number;

  constructor(options: UpkeepOptions) {
    this.clock = options.clock;
    this.heldSnapshotSeconds = options.heldSnapshotSeconds;
  }
}
