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
    const judge = context.get(VerifyService);
    const { state, countedDays, lines, invoices } = await judge.extent(period);
    say(`judging ${period}, which is ${state}: ${countedDays} counted days, ${lines} lines, ${invoices} invoices`);
    if (countedDays + lines + invoices === 0n) say('nothing is stored of this month: of nothing, everything holds');
    const verdicts = await judge.verify(period);
    await context.close();
    return verdicts;
  } finally {
    await admin.destroy();
  }
}
