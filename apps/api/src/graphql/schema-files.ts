import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory, type BuildSchemaOptions } from '@nestjs/graphql';
import { printSchema } from 'graphql';
import { adminResolvers } from '../admin/admin.module';
import { customerResolvers } from '../customer/customer.module';
import { projectRoot } from '../http/project-root';
import { finishSchema } from './apollo.options';
import { AdminSchema, CustomerSchema } from './endpoint.schema';

@Module({ imports: [GraphQLSchemaBuilderModule] })
class SchemaOnly {}

const ENDPOINTS: readonly { file: string; resolvers: readonly Type[]; place: Type }[] = [
  { file: 'schema.customer.graphql', resolvers: customerResolvers, place: CustomerSchema },
  { file: 'schema.admin.graphql', resolvers: adminResolvers, place: AdminSchema },
];

/** Both schemas as text, built from the decorators alone: no database, no network. */
export async function printSchemas(): Promise<{ file: string; text: string }[]> {
  const context = await NestFactory.createApplicationContext(SchemaOnly, { logger: ['error'], abortOnError: false });
  const factory = context.get(GraphQLSchemaFactory);
  const printed: { file: string; text: string }[] = [];
  for (const { file, resolvers, place } of ENDPOINTS) {
    // The option that the module passes on when it serves the schema; it keeps the other endpoint's types out.
    const options: BuildSchemaOptions & { includeModules: Type[] } = { includeModules: [place] };
    const schema = await factory.create([...resolvers], options);
    printed.push({ file, text: `${HEADER}${printSchema(finishSchema(schema))}\n` });
  }
  await context.close();
  return printed;
}

const HEADER =
  '# Generated from apps/api/src by "npm run schema:print"; checked by "npm run schema:check". Do not edit.\n\n';

function schemaPath(file: string): string {
  return path.join(projectRoot(), 'apps/api', file);
}

export async function writeSchemas(): Promise<void> {
  for (const { file, text } of await printSchemas()) writeFileSync(schemaPath(file), text);
}

/** Files that differ from what the code says. */
export async function driftedSchemas(): Promise<string[]> {
  return (await printSchemas()).filter(({ file, text }) => read(schemaPath(file)) !== text).map(({ file }) => file);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
