import { Module, type DynamicModule } from '@nestjs/common';
import { HeldSnapshotRepository } from './held-snapshot.repository';
import { HeldSnapshotWatch } from './held-snapshot.service';
import { PartitionRepository } from './partition.repository';
import { PartitionService } from './partition.service';
import { RetentionRepository } from './retention.repository';
import { RetentionService } from './retention.service';
import { UpkeepSettings, type UpkeepOptions } from './upkeep.settings';

/** Care of the tables of the send path, for the worker alone. Needs DatabaseModule and ObservabilityModule (global). */
@Module({})
export class UpkeepModule {
  static forRoot(options: UpkeepOptions): DynamicModule {
    return {
      module: UpkeepModule,
      providers: [
        { provide: UpkeepSettings, useValue: new UpkeepSettings(options) },
        HeldSnapshotRepository,
        HeldSnapshotWatch,
        PartitionRepository,
        PartitionService,
        RetentionRepository,
        RetentionService,
      ],
      exports: [HeldSnapshotWatch, PartitionService, RetentionService],
    };
  }
}
