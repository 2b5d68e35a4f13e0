/** `npm run faults`: breaks a stack under load and judges what it loses, from a fresh clone. See docs/faults.md. */
import { manual } from '../faults/manual.mjs';
import { become, checkNode, prepare, wantsHelp } from './bootstrap.mjs';

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  become('faults/main.js', args);
}
