import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { partsOf } from './bill-manifest';
import { readReport } from './bill-parts';

const PAYER = '999999999999';
const LEGACY = [
  'bill/PayerAccountId',
  'bill/BillingPeriodStartDate',
  'lineItem/UsageAccountId',
  'lineItem/LineItemType',
  'lineItem/ProductCode',
  'lineItem/UsageType',
  'lineItem/UsageAmount',
  'lineItem/CurrencyCode',
  'lineItem/UnblendedCost',
  'product/region',
  'lineItem/LineItemDescription',
];
const CUR2 = LEGACY.map((name) =>
  name
    .replace('/', '_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase(),
);
const FOCUS = [
  'BillingAccountId',
  'BillingPeriodStart',
  'SubAccountId',
  'ChargeCategory',
  'x_ServiceCode',
  'x_UsageType',
  'ConsumedQuantity',
  'BillingCurrency',
  'BilledCost',
  'RegionId',
  'ChargeDescription',
];

interface Cells {
  payer?: string;
  start?: string;
  account?: string;
  type?: string;
  product?: string;
  usage?: string;
  quantity?: string;
  currency?: string;
  cost?: string;
  region?: string;
}

const line = (cells: Cells = {}) =>
  [
    cells.payer ?? PAYER,
    cells.start ?? '2026-10-01T00:00:00Z',
    cells.account ?? '111111111111',
    cells.type ?? 'Usage',
    cells.product ?? 'AmazonSES',
    cells.usage ?? 'USE1-Recipients',
    cells.quantity ?? '10.0000000000',
    cells.currency ?? 'USD',
    cells.cost ?? '0.0010000000',
    cells.region ?? 'us-east-1',
    '"$0.10 per 1,000 recipients, ""outbound""\nand more"',
  ].join(',');

describe('a bill', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postfleet-bill-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const file = (contents: string | Buffer, name = 'bill.csv') => {
    const full = path.join(folder, name);
    writeFileSync(full, contents);
    return full;
  };
  const csv = (header: readonly string[], lines: readonly string[]) => [header.join(','), ...lines, ''].join('\r\n');
  const readAll = async (parts: readonly string[], payer?: string, fleet = ['111111111111', '222222222222']) => {
    const expected = { period: '2026-10', payer, fleet: new Set(fleet), onProgress: undefined };
    const { totals, sha256 } = await readReport(parts, expected);
    return { ...totals, sha256 };
  };
  const read = (full: string, payer?: string, fleet?: string[]) => readAll([full], payer, fleet);

  it.each([
    ['a legacy report', LEGACY],
    ['a CUR 2.0 export', CUR2],
    ['a FOCUS export', FOCUS],
  ])('is read from %s, plain or gzip, to the same totals', async (_, header) => {
    const text = csv(header, [
      line(),
      line({ quantity: '1E1' }),
      line({ account: '222222222222', cost: '0.00000049', usage: 'DIP-Hours' }),
    ]);
    const plain = await read(file(text));
    expect(plain).toMatchObject({
      payer: PAYER,
      lines: 3n,
      totalMicro: 2_000n,
      outsideMicro: 0n,
      unknownUsageTypes: [],
    });
    expect(plain.groups).toHaveLength(2);
    expect(plain.groups[0]).toMatchObject({
      awsAccount: '111111111111',
      region: 'us-east-1',
      usageType: 'USE1-Recipients',
      lines: 2n,
      costMicro: 2_000n,
    });
    const zipped = await read(file(gzipSync(text), 'bill.csv.gz'));
    expect({ ...zipped, sha256: '' }).toEqual({ ...plain, sha256: '' });
    expect(zipped.sha256).not.toBe(plain.sha256);
  });

  it('counts what accounts outside the fleet cost, apart, and takes the region from the usage type where none is said', async () => {
    const found = await read(
      file(
        csv(LEGACY, [
          line({ account: '333333333333', cost: '5', product: 'AmazonEC2' }),
          line({ region: '', usage: 'EUC1-DIP-Hours' }),
        ]),
      ),
    );
    expect(found).toMatchObject({ totalMicro: 1_000n, outsideMicro: 5_000_000n });
    expect(found.groups.map((group) => [group.region, group.usageType, group.inFleet])).toEqual([
      ['eu-central-1', 'EUC1-DIP-Hours', true],
      ['*', '*', false],
    ]);
  });

  it('names usage that nobody told us of, also of another product with a name we know', async () => {
    const found = await read(
      file(csv(LEGACY, [line({ usage: 'USE1-Telepathy' }), line({ product: 'AmazonS3', usage: 'Requests-Tier1' })])),
    );
    expect(found.unknownUsageTypes).toEqual(['Requests-Tier1', 'USE1-Telepathy']);
  });

  it('gives the same amounts whatever the order of its lines', async () => {
    const lines = Array.from({ length: 50 }, (_, i) =>
      line({
        account: i % 2 ? '111111111111' : '222222222222',
        cost: `0.0000${String(i)}7`,
        usage: i % 3 ? 'Recipients' : 'DIP-Hours',
      }),
    );
    const [one, two] = [await read(file(csv(LEGACY, lines))), await read(file(csv(LEGACY, lines.toReversed())))];
    expect(one.groups).toEqual(two.groups);
  });

  const good = csv(
    LEGACY,
    Array.from({ length: 2_000 }, () => line()),
  );
  it.each<[string, () => string | Buffer, Record<string, unknown>]>([
    [
      'another period',
      () => csv(LEGACY, [line(), line({ start: '2026-09-01T00:00:00Z' })]),
      { fault: 'OTHER_PERIOD', line: 3n, column: 'bill/BillingPeriodStartDate' },
    ],
    [
      'another payer within',
      () => csv(LEGACY, [line(), line({ payer: '888888888888' })]),
      { fault: 'OTHER_PAYER', line: 3n, column: 'bill/PayerAccountId' },
    ],
    ['another currency', () => csv(LEGACY, [line({ currency: 'EUR' })]), { fault: 'OTHER_CURRENCY', line: 2n }],
    [
      'negative usage',
      () => csv(LEGACY, [line({ quantity: '-1' })]),
      { fault: 'NEGATIVE_USAGE', line: 2n, column: 'lineItem/UsageAmount' },
    ],
    [
      'an amount that is none',
      () => csv(LEGACY, [line({ cost: 'much' })]),
      { fault: 'MALFORMED', line: 2n, column: 'lineItem/UnblendedCost' },
    ],
    [
      'an amount that is missing',
      () => csv(LEGACY, [line({ cost: '' })]),
      { fault: 'MALFORMED', line: 2n, column: 'lineItem/UnblendedCost' },
    ],
    [
      'an account that a spreadsheet has shortened',
      () => csv(LEGACY, [line({ account: '1111' })]),
      { fault: 'MALFORMED', line: 2n, column: 'lineItem/UsageAccountId' },
    ],
    [
      'a missing column',
      () => csv(LEGACY.slice(0, 8), [line()]),
      { fault: 'MISSING_COLUMNS', column: 'line_item_unblended_cost' },
    ],
    ['no bill at all', () => 'name,colour\nrose,red\n', { fault: 'NOT_A_BILL', line: 1n }],
    [
      'random bytes',
      () => Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 251)),
      { fault: expect.stringMatching(/NOT_A_BILL|MALFORMED/) as string },
    ],
    ['a header alone', () => csv(LEGACY, []), { fault: 'EMPTY' }],
    ['nothing', () => '', { fault: 'EMPTY' }],
    [
      'a hole in a text',
      () => `${good}${line({ usage: 'USE1-\0\0\0\0ipients' })}`,
      { fault: 'MALFORMED', line: 2_002n },
    ],
    ['a line with too few cells', () => `${good}${PAYER},2026-10`, { fault: 'MALFORMED', line: 2_002n }],
    [
      'a quotation mark that never closes',
      () => `${csv(LEGACY, [line()])}"${'x'.repeat(9_000_000)}`,
      { fault: 'MALFORMED' },
    ],
    ['a truncated gzip', () => gzipSync(good).subarray(0, 150), { fault: 'TRUNCATED' }],
    [
      'a damaged gzip',
      () => {
        const bytes = gzipSync(good);
        bytes.fill(0xff, 60, 120);
        return bytes;
      },
      { fault: 'MALFORMED' },
    ],
  ])('is refused with the place and a way out for %s', async (_, contents, expected) => {
    const refused = read(file(contents()));
    await expect(refused).rejects.toMatchObject({ name: 'BillRefused', code: 'INVALID_INPUT', ...expected });
    await expect(refused).rejects.toThrow(/\. [A-Z].+\.$/);
  });

  it('is refused when it is of another payer than the fleet has', async () => {
    await expect(read(file(good), '888888888888')).rejects.toMatchObject({ fault: 'OTHER_PAYER', line: 2n });
    await expect(read(path.join(folder, 'none.csv'))).rejects.toMatchObject({ fault: 'UNREADABLE' });
  });

  describe('in several files', () => {
    const half = (cost: string) => csv(LEGACY, [line({ cost }), line({ usage: 'DIP-Hours', cost })]);
    // Each file's own sum rounds to nothing: only together they are a micro-dollar.
    const halves = () => [file(half('0.0000004'), 'cur-1.csv'), file(gzipSync(half('0.0000006')), 'cur-2.csv.gz')];

    it('is added up before it is rounded, whatever the order of its files', async () => {
      const [one, two] = halves() as [string, string];
      const together = await readAll([one, two]);
      expect(together).toMatchObject({ lines: 4n, totalMicro: 2n });
      expect(together.groups.map(({ lines, costMicro }) => [lines, costMicro])).toEqual([
        [2n, 1n],
        [2n, 1n],
      ]);
      expect(await readAll([two, one])).toEqual(together);
      expect(together.sha256).not.toBe((await read(one)).sha256);
    });

    it('put behind one another is one report: headers in its middle are no lines', async () => {
      const glued = await read(file(Buffer.concat(['0.0000004', '0.0000006'].map((cost) => gzipSync(half(cost))))));
      expect(glued).toMatchObject({ lines: 4n, totalMicro: 2n });
    });

    it.each(['reportKeys', 'dataFiles'])('is found by the %s of its manifest, in the same folder', async (keys) => {
      const wanted = halves();
      const names = wanted.map((one) => `s3://bucket/some/prefix/${path.basename(one)}`);
      const manifest = file(JSON.stringify({ [keys]: names, other: 1 }), 'cur-Manifest.json');
      expect(await partsOf([manifest])).toEqual(wanted);
      expect(await partsOf(wanted)).toEqual(wanted);
      await expect(partsOf([file('{}', 'no-Manifest.json')])).rejects.toMatchObject({ fault: 'NOT_A_BILL' });
      await expect(partsOf([path.join(folder, 'none.json')])).rejects.toMatchObject({ fault: 'UNREADABLE' });
    });

    it('is refused with the name of the file that is wrong', async () => {
      const [one] = halves() as [string];
      const wrong: [string, Record<string, unknown>][] = [
        [file(csv(LEGACY, [line({ payer: '888888888888' })]), 'stranger.csv'), { fault: 'OTHER_PAYER' }],
        [file(csv(FOCUS, [line({ type: 'Usage' })]), 'focus.csv'), { fault: 'NOT_A_BILL' }],
        [file(half('0.0000004'), 'copy.csv'), { fault: 'SAME_PART' }],
        [path.join(folder, 'missing.csv'), { fault: 'UNREADABLE' }],
      ];
      for (const [part, expected] of wrong) {
        const refused = readAll([one, part]);
        await expect(refused).rejects.toMatchObject({ name: 'BillRefused', ...expected });
        await expect(refused).rejects.toThrow(path.basename(part));
      }
    });
  });
});
