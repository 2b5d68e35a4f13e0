import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { EngineClock, ManualClock } from '@libs/kernel';
import type { DynamicModule, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ClockModule } from '../support/clock.module';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** The time at which every such test starts. */
export const NOON = new Date('2026-11-22T12:00:00.000Z');

export interface ApiProcess {
  readonly database: TestDatabase;
  readonly clock: ManualClock;
  readonly uow: UnitOfWork;
  readonly module: TestingModule;
  close(): Promise<void>;
}

/** Libs as the api has them, on a database of their own and with a clock that the test moves. */
export async function startApiProcess(imports: readonly (Type | DynamicModule)[]): Promise<ApiProcess> {
  const database = await createTestDatabase();
  const app = createDataSource({ url: database.urls.app, applicationName: 'test-app', poolSize: 4 });
  const admin = createDataSource({ url: database.urls.admin, applicationName: 'test-admin', poolSize: 4 });
  await Promise.all([app.initialize(), admin.initialize()]);
  const { module, clock } = await assemble({ app, admin }, imports);
  return {
    database,
    clock,
    uow: module.get(UnitOfWork),
    module,
    close: async () => {
      await module.close();
      await Promise.all([app.destroy(), admin.destroy()]);
      await database.drop();
    },
  };
}

export async function assemble(
  pools: Parameters<typeof DatabaseModule.forRoot>[0],
  imports: readonly (Type | DynamicModule)[],
): Promise<{ module: TestingModule; clock: ManualClock }> {
  const clock = new ManualClock(NOON.getTime());
  const module = await Test.createTestingModule({
    imports: [DatabaseModule.forRoot(pools), ClockModule.of(new EngineClock(clock)), ...imports],
  }).compile();
  await module.init();
  return { module, clock };
}
