import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const projectRoot = resolve(__dirname, '../..');

/** A small project on disk with planted files, so that a gate can be seen red without touching the real tree. */
export function temporaryTree(files: Readonly<Record<string, string>>): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'postfleet-planted-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(path, 'node_modules'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true });
    },
  };
}
