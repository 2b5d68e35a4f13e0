/** Stops the servers, unless somebody wants to look into a failed test's database (TEST_KEEP_STACK=1). */
export default async function globalTeardown(): Promise<void> {
  if (process.env['TEST_KEEP_STACK'] === '1') {
    process.stderr.write(
      'TEST_KEEP_STACK=1: PostgreSQL and Redis of this run are left running; the next run stops them\n',
    );
    return;
  }
  await globalThis.postfleetTestStack?.stop();
}
