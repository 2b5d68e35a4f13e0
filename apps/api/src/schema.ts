import { driftedSchemas, writeSchemas } from './graphql/schema-files';

/** `schema:print` writes the two schema files; `schema:check` fails when they are not what the code says. */
async function run(check: boolean): Promise<void> {
  if (!check) {
    await writeSchemas();
    return;
  }
  const drifted = await driftedSchemas();
  if (drifted.length === 0) return;
  process.stderr.write(
    `apps/api/${drifted.join(', apps/api/')} differ from the code. Run "npm run schema:print" and commit the result.\n`,
  );
  process.exitCode = 1;
}

run(process.argv.includes('--check')).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
