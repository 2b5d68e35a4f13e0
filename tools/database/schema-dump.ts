import { Client } from 'pg';
import { schemaQueries } from './schema-queries';

const heading = `-- The schema as the migrations leave it, for reading and for comparing; it is not run.
-- Written by "npm run db:schema". Partitions are left out: which ones exist depends on the day.
`;

/**
 * Describes everything that decides how the database behaves: tables, columns, defaults, constraints, indexes, row-level
 * security, policies, grants, functions, triggers, comments. Two databases with the same schema give the same text, whatever
 * order their objects were made in.
 */
export async function dumpSchema(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Names without their schema in every definition, and one spelling of time zones.
    await client.query("SET search_path = public; SET timezone = 'UTC'");
    const sections = new Map<string, string[]>();
    for (const { part, sql } of schemaQueries) {
      const { rows } = await client.query<{ section: string; line: string }>(sql);
      for (const { section, line } of rows.sort(byText)) {
        const title = titleOf(part, section);
        sections.set(title, [...(sections.get(title) ?? []), line]);
      }
    }
    const titles = [...sections.keys()].sort(compare);
    const body = titles.map((title) => `\n-- ${title}\n${(sections.get(title) ?? []).map(readable).join('\n')}\n`);
    return heading + body.join('');
  } finally {
    await client.end();
  }
}

/** Everything about a table stands together. */
function titleOf(part: string, section: string): string {
  if (part === 'functions') return `function ${section}`;
  if (['extensions', 'schemas', 'types', 'sequences', 'default grants'].includes(part)) return `${part} ${section}`;
  return `table ${section}`;
}

/** The number that keeps columns in their order has done its work. */
function readable(line: string): string {
  return line.replace(/^\d{3} (?=COLUMN )/, '').trimEnd();
}

function byText(a: { section: string; line: string }, b: { section: string; line: string }): number {
  return compare(a.section, b.section) || compare(a.line, b.line);
}

/** By code unit: the same on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
