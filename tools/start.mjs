/** `npm start`: everything on this machine, from a fresh clone. See tools/local-stack for what it boots. */
import { become, checkNode, prepare, wantsHelp } from './bootstrap.mjs';
import { manual } from './local-stack/manual.mjs';

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  become('tools/local-stack/main.js', args);
}
