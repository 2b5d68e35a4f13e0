import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { CardRate, StoredRate } from './rate-card.policy';

interface RateRow {
  id: string;
  card: string;
  sku: string;
  tier_from: string;
  amount_micro: string;
  per_units: string;
  valid_from: Date;
  valid_to: Date | null;
  source: string;
}

/** One card is written at a time, so that two processes that start together agree. */
const SEED_LOCK = '7204118302';

@Injectable()
export class RateRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The whole table: some dozens of rows. */
  async all(): Promise<StoredRate[]> {
    const rows = await this.uow.query<RateRow>(
      `SELECT id::text AS id, card, sku, tier_from::text AS tier_from, amount_micro::text AS amount_micro,
              per_units::text AS per_units, valid_from, valid_to, source
         FROM rate ORDER BY card, sku, tier_from, valid_from`,
    );
    return rows.map((row) => ({
      id: BigInt(row.id),
      card: row.card,
      sku: row.sku,
      tierFrom: BigInt(row.tier_from),
      amountMicro: BigInt(row.amount_micro),
      perUnits: BigInt(row.per_units),
      validFrom: row.valid_from,
      validTo: row.valid_to,
      source: row.source,
    }));
  }

  async lockForSeeding(): Promise<void> {
    await this.uow.query('SELECT pg_advisory_xact_lock($1)', [SEED_LOCK]);
  }

  async find(id: bigint): Promise<StoredRate | undefined> {
    return (await this.all()).find((rate) => rate.id === id);
  }

  /** The last month that is closed for ever, `YYYY-MM`; undefined when none is. */
  async lastClosedPeriod(): Promise<string | undefined> {
    const [row] = await this.uow.query<{ period: string | null }>(
      `SELECT max(period) AS period FROM billing_period WHERE is_closed`,
    );
    return row?.period ?? undefined;
  }

  async end(id: bigint, validTo: Date): Promise<void> {
    await this.uow.query('UPDATE rate SET valid_to = $2 WHERE id = $1', [id.toString(), validTo]);
  }

  /** The table refuses a validity that overlaps another one of the same price (SQLSTATE 23P01). */
  async insert(rate: CardRate): Promise<void> {
    await this.uow.query(
      `INSERT INTO rate (card, sku, tier_from, amount_micro, per_units, valid_from, valid_to, source)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        rate.card,
        rate.sku,
        rate.tierFrom.toString(),
        rate.amountMicro.toString(),
        rate.perUnits.toString(),
        rate.validFrom,
        rate.validTo,
        rate.source,
      ],
    );
  }
}
