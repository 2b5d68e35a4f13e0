/** `npm run billing:verify`: judges the books of a month, from a fresh clone too. See docs/close-a-month.md. */
import { manual } from './billing/manual.mjs';
import { become, checkNode, prepare, wantsHelp } from './bootstrap.mjs';

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  become('tools/billing/main.js', args);
}
