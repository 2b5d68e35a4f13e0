import { BillingPeriodsModule } from '@libs/billing';
import { billingCommandConfig, loadConfig } from '@libs/config';
import { createDataSource, DatabaseModule } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { Global, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Global()
@Module({ providers: [{ provide: EngineClock, useValue: new EngineClock() }], exports: [EngineClock] })
class RealTime {}

/** Who did it, in the audit log. */
export const COMMAND_LINE = { actor: 'operator:command-line' };

/** Runs an operator's command about months on the operators' role, and closes everything after it. */
export async function withBilling(
  name: string,
  work: (billing: INestApplicationContext) => Promise<void>,
  url = loadConfig(billingCommandConfig).DATABASE_ADMIN_URL,
): Promise<void> {
  const admin = createDataSource({ url, applicationName: `postfleet-${name}`, poolSize: 2 });
  await admin.initialize();
  try {
    const log = new Log({ name, level: 'warn', write: (line) => process.stderr.write(line) });
    @Module({
      imports: [
        RealTime,
        DatabaseModule.forRoot({ admin }),
        ObservabilityModule.forRoot(log, new Metrics(name)),
        BillingPeriodsModule,
      ],
    })
    class CommandModule {}
    const context = await NestFactory.createApplicationContext(CommandModule, {
      logger: ['error'],
      abortOnError: false,
    });
    try {
      await work(context);
    } finally {
      await context.close();
    }
  } finally {
    await admin.destroy();
  }
}
