import { gunzipSync } from 'node:zlib';
import { ManualClock } from '@libs/kernel';
import { SimulatorAdminClient, startSimulator, type RunningSimulator } from '../../apps/simulator/src';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-11-01T00:00:00.000Z');

describe("the simulator's bill", () => {
  let simulator: RunningSimulator;
  let clock: ManualClock;
  let admin: SimulatorAdminClient;

  beforeEach(async () => {
    clock = new ManualClock(START);
    simulator = await startSimulator({ clock });
    admin = new SimulatorAdminClient(simulator.adminUrl);
    await admin.putAccount('111111111111', { regions: { 'us-east-1': { pricingPlan: 'PRO' } } });
    await admin.putAccount('222222222222', { regions: { 'us-east-1': { productionAccess: true } } });
  });
  afterEach(() => simulator.close());

  const bill = async (month: string, until?: Date) => {
    const [head = '', ...lines] = gunzipSync(await admin.bill(month, until))
      .toString()
      .trim()
      .split('\n');
    const names = head.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] ?? '', cell])));
  };
  const shown = (lines: Record<string, string>[]) =>
    lines.map((line) => [
      line['lineItem/UsageAccountId'],
      line['lineItem/UsageType'],
      line['lineItem/UsageAmount'],
      line['lineItem/UnblendedCost'],
    ]);

  it('charges the fee of a plan, and dedicated IPs from their lease on: a whole month is $24.95', async () => {
    await admin.leaseIps('222222222222', 'us-east-1', { count: 2, warmupPercentage: 100 });
    clock.advance(30 * DAY_MS);
    expect(shown(await bill('2026-11'))).toEqual([
      ['111111111111', 'USE1-EmailPlan-Months', '1.0000000000', '105.0000000000'],
      ['222222222222', 'USE1-DIP-Hours', '1440.0000000000', '49.9000000000'],
    ]);
    expect(shown(await bill('2026-11', new Date(START + 15 * DAY_MS)))[1]).toEqual([
      '222222222222',
      'USE1-DIP-Hours',
      '720.0000000000',
      '24.9500000000',
    ]);
  });

  it('says whose it is, which month it is of, and nothing of other months', async () => {
    const [line] = await bill('2026-11');
    expect(line).toMatchObject({
      'bill/PayerAccountId': '999900000000',
      'bill/BillingPeriodStartDate': '2026-11-01T00:00:00.000Z',
      'lineItem/CurrencyCode': 'USD',
      'product/region': 'us-east-1',
    });
    await expect(admin.bill('2026-13')).rejects.toThrow('404');
  });
});
