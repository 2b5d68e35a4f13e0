import { Module, type DynamicModule } from '@nestjs/common';
import { UnitOfWork, type Pools } from './unit-of-work';

/** Gives every lib the one UnitOfWork of this process. The process opens and closes the pools. */
@Module({})
export class DatabaseModule {
  static forRoot(pools: Pools): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [{ provide: UnitOfWork, useValue: new UnitOfWork(pools) }],
      exports: [UnitOfWork],
    };
  }
}
