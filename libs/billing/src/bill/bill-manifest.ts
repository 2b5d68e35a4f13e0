import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { BillRefused } from './bill.errors';

/** What AWS writes beside a report: the keys of its parts, of a legacy report or of a data export. */
const manifest = z.union([
  z.object({ reportKeys: z.array(z.string().min(1)).min(1) }).transform(({ reportKeys }) => reportKeys),
  z.object({ dataFiles: z.array(z.string().min(1)).min(1) }).transform(({ dataFiles }) => dataFiles),
]);

/**
 * The files that make one report, in order. A manifest (`...-Manifest.json`) stands for the parts that it names, which are looked
 * for in its own folder; anything else is a part itself.
 * @throws BillRefused UNREADABLE, NOT_A_BILL
 */
export async function partsOf(files: readonly string[]): Promise<string[]> {
  const parts: string[] = [];
  for (const file of files) {
    if (!file.toLowerCase().endsWith('.json')) {
      parts.push(file);
      continue;
    }
    const folder = path.dirname(file);
    for (const key of await keysOf(file)) parts.push(path.join(folder, path.basename(key)));
  }
  return parts;
}

async function keysOf(file: string): Promise<string[]> {
  const name = path.basename(file);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BillRefused('UNREADABLE', `the manifest cannot be read (${why})`, 'Name a file that exists.');
  }
  const read = manifest.safeParse(jsonOf(text));
  if (read.success) return read.data;
  throw new BillRefused(
    'NOT_A_BILL',
    `${name} is not a manifest of AWS: it lists no reportKeys and no dataFiles`,
    'Name the -Manifest.json of the report, with its parts in the same folder, or the parts themselves.',
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
