import { BillingModule, RateCardConflict, RateCardService, type CardRate } from '@libs/billing';
import { Client } from 'pg';
import { startApiProcess, type ApiProcess } from '../tenancy/api-process';

const by = { actor: 'operator:test' };
const price: CardRate = {
  card: 'aws-a-la-carte',
  sku: 'ses.validation',
  tierFrom: 0n,
  amountMicro: 100n,
  perUnits: 1n,
  validFrom: new Date('2026-01-01T00:00:00Z'),
  validTo: null,
  source: 'test',
};
const change = new Date('2026-12-01T00:00:00Z');

describe('the rate card in the database', () => {
  let process: ApiProcess;
  let card: RateCardService;

  beforeEach(async () => {
    process = await startApiProcess([BillingModule]);
    card = process.module.get(RateCardService);
  });
  afterEach(() => process.close());

  const stored = () =>
    process.uow.forSystem(() =>
      process.uow.query<{ amount_micro: string; valid_from: Date; valid_to: Date | null }>(
        `SELECT amount_micro, valid_from, valid_to FROM rate WHERE sku = 'ses.validation' ORDER BY valid_from`,
      ),
    );
  /** As the superuser, whom privileges do not bind. */
  const asOwner = async (statement: string) => {
    const client = new Client({ connectionString: process.database.superuserUrl });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const audited = async () => (await process.uow.forSystem(() => process.uow.query('SELECT id FROM audit_log'))).length;

  it('is filled once, however often and from however many processes it is seeded', async () => {
    const outcomes = await Promise.all([card.seed(by), card.seed(by), card.seed(by)]);
    const added = outcomes.map((outcome) => outcome.added).sort();
    expect(added.slice(0, 2)).toEqual([0n, 0n]);
    expect(added[2]).toBeGreaterThan(15n);
    await expect(card.seed(by)).resolves.toEqual({ added: 0n, ended: 0n });
    expect(await audited()).toBe(1);
  });

  it('gets a new price by ending the old one', async () => {
    await card.seed(by, [price]);
    const next = { ...price, amountMicro: 120n, validFrom: change };
    await expect(card.seed(by, [{ ...price, validTo: change }, next])).resolves.toEqual({ added: 1n, ended: 1n });
    await expect(card.seed(by, [{ ...price, validTo: change }, next])).resolves.toEqual({ added: 0n, ended: 0n });
    expect(await stored()).toEqual([
      { amount_micro: '100', valid_from: price.validFrom, valid_to: change },
      { amount_micro: '120', valid_from: change, valid_to: null },
    ]);
  });

  it('never changes a published price or the end it was given', async () => {
    await card.seed(by, [{ ...price, validTo: change }]);
    for (const other of [
      { ...price, validTo: change, amountMicro: 99n },
      { ...price, validTo: change, perUnits: 2n },
      { ...price, validTo: new Date('2027-01-01T00:00:00Z') },
    ]) {
      await expect(card.seed(by, [other])).rejects.toThrow(RateCardConflict);
    }
    expect(await stored()).toEqual([{ amount_micro: '100', valid_from: price.validFrom, valid_to: change }]);
  });

  it('is edited by operators: a price ends, the next one begins, and both are on record', async () => {
    const added = await card.add(price, by);
    expect(added).toMatchObject(price);
    await expect(card.add({ ...price, validFrom: change }, by)).rejects.toMatchObject({
      issues: [{ code: 'CONFLICT', path: ['validFrom'] }],
    });
    await expect(card.end(added.id + 1n, change, by)).rejects.toMatchObject({ issues: [{ path: ['rateId'] }] });
    expect(await card.end(added.id, change, by)).toEqual({ ...added, validTo: change });
    // The card that comes with the code knows nothing of that end.
    await expect(card.seed(by, [price])).resolves.toEqual({ added: 0n, ended: 0n });
    expect(await card.gaps('2026-12')).toEqual([
      { card: price.card, sku: price.sku, from: change, to: new Date('2027-01-01T00:00:00Z') },
    ]);
    await card.add({ ...price, amountMicro: 120n, validFrom: change }, by);
    expect(await card.gaps('2026-12')).toEqual([]);
    expect((await card.list()).map((rate) => rate.amountMicro)).toEqual([100n, 120n]);
    expect(await audited()).toBe(3);
  });

  it.each([
    ['final', `'FINAL', NULL, now()`],
    ['being invoiced', `'PROVISIONAL', 'FINALISE_INVOICES', NULL`],
  ])('keeps the prices of months that are %s', async (_, state) => {
    await process.uow.forSystem(() =>
      process.uow.query(`INSERT INTO billing_period (period, state, step, final_at) VALUES ('2026-10', ${state})`),
    );
    const early = card.add({ ...price, validFrom: new Date('2026-10-31T00:00:00Z') }, by);
    await expect(early).rejects.toMatchObject({ issues: [{ code: 'INVALID_INPUT', path: ['validFrom'] }] });
    await card.add({ ...price, validFrom: new Date('2026-11-01T00:00:00Z') }, by);
  });

  it('cannot be rewritten in the database: a price only gets an end, once', async () => {
    await card.seed(by, [price]);
    const rewrite = (statement: string) => process.uow.forSystem(() => process.uow.query(statement));
    for (const statement of [
      `UPDATE rate SET amount_micro = 1 WHERE sku = 'ses.validation'`,
      `UPDATE rate SET valid_from = valid_from - interval '1 day' WHERE sku = 'ses.validation'`,
    ]) {
      await expect(rewrite(statement)).rejects.toMatchObject({ code: '42501' }); // the operators' role may not
      await expect(asOwner(statement)).rejects.toMatchObject({ code: 'PF002' });
    }
    await rewrite(`UPDATE rate SET valid_to = '2026-12-01T00:00:00Z' WHERE sku = 'ses.validation'`);
    await expect(
      rewrite(`UPDATE rate SET valid_to = '2027-01-01T00:00:00Z' WHERE sku = 'ses.validation'`),
    ).rejects.toMatchObject({ code: 'PF002' });
    expect(await stored()).toEqual([{ amount_micro: '100', valid_from: price.validFrom, valid_to: change }]);
  });

  it('refuses overlapping validity, by the table itself, and then adds nothing', async () => {
    const overlapping = { ...price, amountMicro: 120n, validFrom: change };
    const another = { ...price, sku: 'ses.validation', tierFrom: 10n };
    await expect(card.seed(by, [another, price, overlapping])).rejects.toMatchObject({ code: '23P01' });
    expect(await stored()).toEqual([]);
    expect(await audited()).toBe(0);
  });
});
