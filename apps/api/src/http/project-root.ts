import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder with package.json and docs/: the same file runs from apps/api/src and from dist/apps/api/src. */
export function projectRoot(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json')) || folder.endsWith(`${path.sep}dist`)) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${__dirname}`);
    folder = parent;
  }
  return folder;
}
