import { VerifyModule, VerifyService, type Verdict } from '@libs/billing';
import { createDataSource, DatabaseModule } from '@libs/database';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** Judges a month of the database that this URL of the operators' role names. Reads only. */
export async function verifyExisting(url: string, period: string, say: (line: string) => void): Promise<Verdict[]> {
  const admin = await createDataSource({ url, applicationName: 'postfleet-billing-verify', poolSize: 2 }).initialize();
  try {
    @Module({ imports: [DatabaseModule.forRoot({ admin }), VerifyModule] })
    class VerifyCommandModule {}
    const context = await NestFactory.createApplicationContext(VerifyCommandModule, {
      logger: ['error'],
      abortOnError: false,
    });
    say(`judging ${period}`);
    const verdicts = await context.get(VerifyService).verify(period);
    await context.close();
    return verdicts;
  } finally {
    await admin.destroy();
  }
}
