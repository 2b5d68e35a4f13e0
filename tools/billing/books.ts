import {
  BillImportService,
  BillingCloseModule,
  BillingModule,
  BillingPeriodsModule,
  CloseService,
  InvoicingModule,
  PeriodService,
  RateCardService,
  UsageRollUpService,
  VerifyModule,
  VerifyService,
  type CloseGoal,
  type InvoicingOptions,
} from '@libs/billing';
import { createDataSource, DatabaseModule } from '@libs/database';
import { EngineClock, ManualClock } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { QueueingModule } from '@libs/queueing';
import { Global, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { RoleUrls } from '../local-stack/role-urls';

const BY = { actor: 'operator:generated' };
const POOL_SIZE = 4;

const invoicing: InvoicingOptions = {
  seller: {
    name: 'Generated Mail Ltd',
    address: ['1 Example Street', 'Exampletown'],
    taxId: null,
    email: null,
    note: null,
  },
  dueAt: (issuedAt) => new Date(issuedAt.getTime() + 14 * 86_400_000),
};

/** The operators' half and the worker's half of billing on one database, at a time of the caller's choosing. */
export class Books {
  private constructor(
    private readonly operators: INestApplicationContext,
    private readonly worker: INestApplicationContext,
    private readonly end: () => Promise<void>,
  ) {}

  /** @param now what both halves take for the present, for ever */
  static async open(urls: RoleUrls, redisUrl: string, now: Date): Promise<Books> {
    const pool = (url: string) =>
      createDataSource({ url, applicationName: 'postfleet-books', poolSize: POOL_SIZE }).initialize();
    const [app, admin, worker] = await Promise.all([pool(urls.app), pool(urls.admin), pool(urls.worker)]);
    const end = async () => {
      await Promise.all([app.destroy(), admin.destroy(), worker.destroy()]);
    };
    const halves = await Promise.all([
      contextOf(now, [DatabaseModule.forRoot({ app, admin }), BillingModule, BillingPeriodsModule, VerifyModule]),
      contextOf(now, [
        DatabaseModule.forRoot({ worker }),
        QueueingModule.forRoot({ redisUrl }),
        BillingCloseModule.forRoot({ invoicing: InvoicingModule.forRoot(invoicing) }),
      ]),
    ]);
    return new Books(...halves, end);
  }

  async seedRates(): Promise<void> {
    await this.operators.get(RateCardService).seed(BY);
  }

  /** Asks for a month to go somewhere, and takes it there. */
  async take(period: string, goal: CloseGoal): Promise<void> {
    await this.operators.get(PeriodService).ask(period, goal, BY);
    await this.worker.get(CloseService).run(period);
  }

  /** Takes a bill in, and holds the month against it. */
  async import(period: string, file: string, payer: string): Promise<void> {
    await this.operators.get(BillImportService).import({ files: [file], period, payer }, BY);
    await this.worker.get(CloseService).run(period);
  }

  /** Counts a day that is over. */
  async rollUp(day: string): Promise<void> {
    await this.worker.get(UsageRollUpService).rollUp(day);
  }

  get judge(): VerifyService {
    return this.operators.get(VerifyService);
  }

  async close(): Promise<void> {
    await Promise.all([this.operators.close(), this.worker.close()]);
    await this.end();
  }
}

function contextOf(
  now: Date,
  imports: readonly (DynamicModule | (new () => unknown))[],
): Promise<INestApplicationContext> {
  const clock = new EngineClock(new ManualClock(now.getTime()));
  @Global()
  @Module({ providers: [{ provide: EngineClock, useValue: clock }], exports: [EngineClock] })
  class StandingClock {}
  @Module({
    imports: [
      StandingClock,
      ObservabilityModule.forRoot(
        new Log({ name: 'books', level: 'error', write: (line) => process.stderr.write(line) }),
        new Metrics('books'),
      ),
      ...imports,
    ],
  })
  class BooksModule {}
  return NestFactory.createApplicationContext(BooksModule, { logger: ['error'], abortOnError: false });
}
