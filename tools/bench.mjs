/** `npm run bench`: measures the send engine beside its baselines, from a fresh clone. See bench/README.md. */
import { manual } from '../bench/manual.mjs';
import { become, checkNode, prepare, wantsHelp } from './bootstrap.mjs';

const args = process.argv.slice(2);
if (wantsHelp(args)) {
  process.stdout.write(manual);
} else {
  checkNode();
  await prepare();
  become('bench/main.js', args);
}
