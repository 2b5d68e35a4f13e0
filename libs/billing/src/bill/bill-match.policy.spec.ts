import type { TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { allocate, PLATFORM, type Bearer } from '../cost/allocation.policy';
import { matchBill, type BilledLine, type ReckonedLine } from './bill-match.policy';
import { parseExact } from './exact-decimal.policy';

const ann = 'ann' as TenantId;
const bob = 'bob' as TenantId;
const exact = (text: string) => parseExact(text) ?? 0n;

let serial = 0n;
function ours(
  costMicro: bigint,
  quantity: bigint,
  weights: [Bearer, bigint][] = [
    [ann, 3n],
    [bob, 1n],
  ],
  more: Partial<ReckonedLine> = {},
): ReckonedLine {
  serial += 1n;
  const borne = allocate(costMicro, new Map(weights));
  return {
    id: serial,
    no: serial,
    awsAccount: '111111111111',
    region: 'us-east-1',
    sendingAccountId: null,
    laneId: null,
    sku: 'ses.recipient',
    pricingPlan: 'NONE',
    unit: 'recipient',
    quantity,
    costMicro,
    method: 'by-recipients',
    corrects: null,
    shares: weights.map(([bearer, weight]) => ({ bearer, weight, amountMicro: borne.get(bearer) ?? 0n })),
    ...more,
  };
}

function billed(costMicro: bigint, quantity: string, more: Partial<BilledLine> = {}): BilledLine {
  return {
    payer: '999999999999',
    awsAccount: '111111111111',
    region: 'us-east-1',
    product: 'AmazonSES',
    usageType: 'USE1-Recipients',
    lineType: 'Usage',
    chargeClass: null,
    quantity: exact(quantity),
    freeQuantity: 0n,
    costMicro,
    ...more,
  };
}

const none = new Map<string, bigint>();
const sum = (amounts: readonly bigint[]) => amounts.reduce((all, one) => all + one, 0n);

describe('a bill held against our own lines', () => {
  it('has no differences where both agree', () => {
    expect(matchBill([ours(1_000n, 10n)], [billed(1_000n, '10')], none)).toEqual({ deltas: [], alarms: [] });
  });

  const reasons: [string, ReckonedLine[], BilledLine[], Map<string, bigint>, [string, bigint][], number][] = [
    [
      'in doubt as far as there was doubt, the rest a foreign sender',
      [ours(1_000n, 10n)],
      [billed(1_500n, '15')],
      new Map([['111111111111|us-east-1', 2n]]),
      [
        ['IN_DOUBT', 200n],
        ['FOREIGN_SENDER', 300n],
      ],
      1,
    ],
    ['fewer recipients than ours: metering', [ours(1_000n, 10n)], [billed(900n, '9')], none, [['METERING', -100n]], 1],
    [
      'the free tier',
      [ours(1_000n, 10n)],
      [billed(600n, '6'), billed(0n, '4', { freeQuantity: exact('4') })],
      none,
      [['FREE_TIER', -400n]],
      1,
    ],
    ['another price', [ours(1_000n, 10n)], [billed(1_200n, '10')], none, [['PRICE', 200n]], 1],
    ['rounding, which alarms nobody', [ours(1_000n, 10n)], [billed(1_001n, '10')], none, [['ROUNDING', 1n]], 0],
    ['a line of ours without one of theirs', [ours(1_000n, 10n)], [], none, [['NOT_BILLED', -1_000n]], 1],
    [
      'a kind of charge we never reckoned with',
      [ours(1_000n, 10n)],
      [billed(1_000n, '10'), billed(70n, '1', { usageType: 'VirtDelivMgr' })],
      none,
      [['NOT_RECKONED', 70n]],
      1,
    ],
    [
      'usage nobody told us of',
      [ours(1_000n, 10n)],
      [billed(1_000n, '10'), billed(55n, '1', { usageType: 'USE1-Telepathy' })],
      none,
      [['UNKNOWN_USAGE', 55n]],
      1,
    ],
    [
      'credits and tax',
      [ours(1_000n, 10n)],
      [
        billed(1_000n, '10'),
        billed(-400n, '0', { lineType: 'Credit' }),
        billed(190n, '0', { lineType: 'Tax', usageType: '' }),
      ],
      none,
      [
        ['CREDIT', -400n],
        ['TAX', 190n],
      ],
      0,
    ],
    [
      'IP hours in their unit',
      [ours(24_950_000n, 2_678_400_000n, [[ann, 1n]], { sku: 'ses.dedicated_ip_month', unit: 'ip-millisecond' })],
      [billed(24_950_000n, '744', { usageType: 'USE1-DIP-Hours' })],
      none,
      [],
      0,
    ],
  ];
  it.each(reasons)('says %s', (_, lines, bill, doubt, expected, alarms) => {
    const found = matchBill(lines, bill, doubt);
    expect(found.deltas.map((delta) => [delta.reason, delta.costMicro])).toEqual(expected);
    expect(found.alarms).toHaveLength(alarms);
  });

  it('lets each difference be borne as the line that it corrects', () => {
    const line = ours(1_000n, 10n);
    const [delta] = matchBill([line], [billed(1_200n, '10')], none).deltas;
    expect(delta).toMatchObject({
      of: line,
      shares: [
        { bearer: ann, amountMicro: 150n },
        { bearer: bob, amountMicro: 50n },
      ],
    });
  });

  it('leaves to the platform what nobody of ours caused', () => {
    const found = matchBill(
      [ours(1_000n, 10n)],
      [billed(1_000n, '10'), billed(55n, '1', { usageType: 'Telepathy' })],
      none,
    );
    expect(found.deltas[0]?.shares).toEqual([{ bearer: PLATFORM, weight: 1n, amountMicro: 55n }]);
  });

  const amount = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const account = fc.constantFrom('111111111111', '222222222222');
  const sku = fc.constantFrom(
    ['ses.recipient', 'USE1-Recipients'],
    ['ses.dedicated_ip_month', 'DIP-Hours'],
    ['sns.delivery', 'DeliveryAttempts-HTTP'],
  );
  const anyOurs = fc
    .tuple(
      account,
      sku,
      amount,
      amount,
      fc.array(fc.tuple(fc.constantFrom<Bearer>(ann, bob, PLATFORM), fc.bigInt({ min: 0n, max: 10n ** 30n })), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([awsAccount, [name = ''], cost, quantity, weights]) =>
      ours(cost, quantity, [...new Map(weights)], { awsAccount, sku: name }),
    );
  const anyBilled = fc
    .tuple(
      account,
      sku,
      fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
      amount,
      fc.constantFrom('Usage', 'Fee', 'Tax', 'Credit', 'Refund', 'Whatever'),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([awsAccount, [, usageType = ''], cost, quantity, lineType, odd, late]) =>
      billed(cost, quantity.toString(), {
        awsAccount,
        lineType,
        usageType: odd ? 'Odd' : usageType,
        product: usageType.startsWith('Deliv') ? 'AmazonSNS' : 'AmazonSES',
        chargeClass: late ? 'Correction' : null,
      }),
    );

  it('adds up: ours and the differences are the bill, and every difference is borne to the last micro-dollar', () => {
    fc.assert(
      fc.property(
        fc.array(anyOurs, { maxLength: 8 }),
        fc.array(anyBilled, { maxLength: 8 }),
        fc.bigInt({ min: 0n, max: 100n }),
        (lines, bill, doubt) => {
          const { deltas } = matchBill(lines, bill, new Map([['111111111111|us-east-1', doubt]]));
          expect(sum(lines.map((line) => line.costMicro)) + sum(deltas.map((delta) => delta.costMicro))).toBe(
            sum(bill.map((line) => line.costMicro)),
          );
          for (const delta of deltas) expect(sum(delta.shares.map((share) => share.amountMicro))).toBe(delta.costMicro);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not depend on any order', () => {
    fc.assert(
      fc.property(fc.array(anyOurs, { maxLength: 6 }), fc.array(anyBilled, { maxLength: 6 }), (lines, bill) => {
        const plain = ({ deltas, alarms }: ReturnType<typeof matchBill>) => ({
          deltas: deltas
            .map(
              (delta) =>
                `${String(delta.of?.id)}|${delta.awsAccount}|${delta.usageType}|${delta.reason}|${String(delta.costMicro)}`,
            )
            .sort(),
          alarms: alarms.map((alarm) => `${alarm.kind}|${alarm.awsAccount}|${alarm.usageType}`).sort(),
        });
        expect(plain(matchBill(lines.toReversed(), bill.toReversed(), none))).toEqual(
          plain(matchBill(lines, bill, none)),
        );
      }),
    );
  });
});
