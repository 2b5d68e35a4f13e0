// First: everything after it may import '@libs/...'.
import './library-alias';
import path from 'node:path';
import { bootTestStack, type TestStack } from './test-stack';

declare global {
  var postfleetTestStack: TestStack | undefined;
}

/** Once per run of jest, before any test file: the servers that the tests below test/ use. */
export default async function globalSetup(): Promise<void> {
  const stack = await bootTestStack((line) => process.stderr.write(`${line}\n`));
  globalThis.postfleetTestStack = stack;
  process.env['POSTFLEET_TEST_STACK'] = path.join(stack.facts.folder, 'stack.json');
  // jest skips the teardown when it is interrupted.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void stack.stop().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
    });
  }
}
