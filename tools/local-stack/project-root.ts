import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of package.json, from the sources as well as from their compiled copy below dist. */
export function projectRoot(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}
