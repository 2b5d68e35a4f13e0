// Lints the snippets given as JSON on standard input, each as if it stood in its file, in one process: starting the
// type-aware linter is the expensive part.
import { ESLint } from 'eslint';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const eslint = new ESLint();
const answers = [];
for (const { code, file } of JSON.parse(Buffer.concat(chunks).toString())) {
  const [result] = await eslint.lintText(code, { filePath: file });
  answers.push((result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? ''}: ${message}`));
}
process.stdout.write(JSON.stringify(answers));
