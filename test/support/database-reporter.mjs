import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Prints the databases of a test file that failed, so that one can look at what it left. */
export default class DatabaseReporter {
  onTestFileResult(test, result) {
    if (result.numFailingTests === 0 && !result.testExecError) return;
    const urls = databasesOf(test.path);
    if (urls.length === 0) return;
    const kept =
      process.env.TEST_KEEP_STACK === '1' ? '' : ' (run it again with TEST_KEEP_STACK=1 to keep it and the server)';
    process.stderr.write(`database of ${path.relative(process.cwd(), test.path)}: ${urls.join(', ')}${kept}\n`);
  }
}

function databasesOf(testPath) {
  const stack = process.env.POSTFLEET_TEST_STACK;
  if (!stack) return [];
  try {
    return readFileSync(path.join(path.dirname(stack), 'databases.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((entry) => entry.testPath === testPath)
      .map((entry) => entry.url);
  } catch {
    return []; // the file exists only once a test has made a database
  }
}
