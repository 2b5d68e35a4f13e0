import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database';

const folder = path.join(__dirname, '../../libs/billing');

/** Ways by which a floating-point value gets near an amount. */
const suspicious: [string, RegExp][] = [
  ['the type', /[:<|]\s*(?:readonly\s+)?number\b|\bas number\b|\bnumber\[\]/],
  ['a conversion', /\bNumber\s*[.(]|\bparse(?:Float|Int)\b|\btoFixed\b|[=(,]\s*\+[a-zA-Z]/],
  ['floating arithmetic', /\bMath\s*\./],
  ['a decimal literal', /(?<![\w.'"`-])\d+\.\d+(?![\w.'"`])/],
];

function findings(text: string): string[] {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(?<!:)\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
  return suspicious.filter(([, pattern]) => pattern.test(code)).map(([name]) => name);
}

describe('money', () => {
  const sources = readdirSync(path.join(folder, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
  );

  it('is looked for in every source of billing', () => {
    expect(sources).toContain('cost/allocation.policy.ts');
    expect(sources.length).toBeGreaterThan(10);
  });

  it.each(sources)('meets no floating-point value in %s', (file) => {
    expect(findings(readFileSync(path.join(folder, 'src', file), 'utf8'))).toEqual([]);
  });

  it.each([
    ['the type', 'const fee: number = 1;'],
    ['the type', 'function total(amounts: readonly number[]) {}'],
    ['the type', 'let shares: Map<string, bigint> | number;'],
    ['a conversion', 'return Number(amount) / 100;'],
    ['a conversion', 'const cents = parseFloat(text);'],
    ['a conversion', 'const cents = +text;'],
    ['floating arithmetic', 'Math.round(total)'],
    ['a decimal literal', 'const price = 24.95;'],
  ])('would be caught with %s in: %s', (name, code) => {
    expect(findings(code)).toContain(name);
  });

  it('is text in the data files', () => {
    const values: unknown[] = [];
    for (const file of readdirSync(path.join(folder, 'data'))) {
      JSON.parse(readFileSync(path.join(folder, 'data', file), 'utf8'), (_, value: unknown) => {
        values.push(value);
        return value;
      });
    }
    expect(values.length).toBeGreaterThan(50);
    expect(values.filter((value) => typeof value === 'number')).toEqual([]);
  });
});

describe('the migrated database', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const columns = async (where: string) =>
    (
      await client.query<{ name: string }>(
        `SELECT table_name || '.' || column_name || ' ' || udt_name::regtype AS name FROM information_schema.columns
          WHERE table_schema = 'public' AND ${where} ORDER BY 1`,
      )
    ).rows.map((row) => row.name);
  const floats = `ltrim(udt_name, '_') IN ('float4', 'float8', 'money')`;
  const isBigint = (name: string) => / bigint(\[\])?$/.test(name);
  const amounts = `column_name LIKE '%\\_micro'`;

  it('has no floating-point column', async () => {
    expect(await columns(floats)).toEqual([]);
  });

  it('keeps every amount as bigint micro-dollars', async () => {
    const found = await columns(amounts);
    expect(found).toContain('rate.amount_micro bigint');
    expect(found.filter((name) => !isBigint(name))).toEqual([]);
  });

  it('would show a floating-point column if it had one', async () => {
    await client.query('CREATE TABLE planted (fee_micro real, share double precision, fees_micro real[])');
    expect(await columns(floats)).toEqual([
      'planted.fee_micro real',
      'planted.fees_micro real[]',
      'planted.share double precision',
    ]);
    expect((await columns(amounts)).filter((name) => !isBigint(name))).toEqual([
      'planted.fee_micro real',
      'planted.fees_micro real[]',
    ]);
    await client.query('DROP TABLE planted');
  });

  it('hands int8 over as text, so that no amount is rounded on the way', async () => {
    const { rows } = await client.query<{ amount: unknown }>('SELECT 9007199254740993::bigint AS amount');
    expect(rows[0]?.amount).toBe('9007199254740993');
  });
});
