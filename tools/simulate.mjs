/** `npm run simulate`: plays the send engine on a virtual clock, from a fresh clone. See docs/simulation.md. */
import { manual } from '../simulation/manual.mjs';
import { become, checkNode, prepare, wantsHelp } from './bootstrap.mjs';

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  become('simulation/main.js', args);
}
