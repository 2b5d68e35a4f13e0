import { parseArgs } from 'node:util';
import { AuditModule } from '@libs/audit';
import { loadConfig, operatorKeyConfig } from '@libs/config';
import { createDataSource, DatabaseModule } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { OPERATOR_ROLES, OperatorKeyService, TenancyModule, type OperatorRole } from '@libs/tenancy';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { runCommand } from './commands/progress';

const MANUAL = `Usage: npm run operator-key -- --name <name> --role <${OPERATOR_ROLES.join('|')}>

Makes a key for the admin endpoint and prints it once.
Needs DATABASE_ADMIN_URL and API_KEY_PEPPER, the same as the api.
`;

@Global()
@Module({ providers: [{ provide: EngineClock, useValue: new EngineClock() }], exports: [EngineClock] })
class RealTime {}

function isRole(text: string | undefined): text is OperatorRole {
  return OPERATOR_ROLES.some((role) => role === text);
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: 'string' }, role: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(MANUAL);
    return;
  }
  const { name, role } = values;
  if (name === undefined || role === undefined) throw new Error(`--name and --role are needed.\n\n${MANUAL}`);
  if (!isRole(role)) throw new Error(`there is no role "${role}"; the roles are ${OPERATOR_ROLES.join(', ')}`);
  const config = loadConfig(operatorKeyConfig);
  const admin = createDataSource({
    url: config.DATABASE_ADMIN_URL,
    applicationName: 'postfleet-operator-key',
    poolSize: 1,
  });
  await admin.initialize();
  try {
    @Module({
      imports: [
        RealTime,
        DatabaseModule.forRoot({ admin }),
        AuditModule,
        TenancyModule.forRoot({ pepper: config.API_KEY_PEPPER }),
      ],
    })
    class OperatorKeyModule {}
    const context = await NestFactory.createApplicationContext(OperatorKeyModule, {
      logger: ['error'],
      abortOnError: false,
    });
    const { key } = await context.get(OperatorKeyService).create({ name, role }, { actor: 'operator:command-line' });
    await context.close();
    process.stdout.write(`${key}\n`);
  } finally {
    await admin.destroy();
  }
}

void runCommand('operator-key', run);
