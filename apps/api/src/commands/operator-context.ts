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

/** A line that the next one overwrites on a terminal; elsewhere every line stays. */
export function showProgress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}

export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
}

/** What went wrong, in a sentence, and exit code 1. */
export function failed(name: string): (error: unknown) => never {
  return (error) => {
    endProgress();
    process.stderr.write(`${name}: ${sentenceOf(error)}\n`);
    process.exit(1);
  };
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (codeOf(error).startsWith('ERR_PARSE_ARGS')) {
    return `${error.message.split('. ')[0] ?? ''}; --help lists the options`;
  }
  return noDatabase(error) ?? error.message;
}

/** When nobody answers there, or the server does not know the name, the password or the database: what to look at. */
export function noDatabase(error: unknown): string | undefined {
  const isThat =
    error instanceof Error && /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|28\w{3}|3D000)$/.test(codeOf(error));
  return isThat ? `${error.message}. Does DATABASE_ADMIN_URL name the database that is meant?` : undefined;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
