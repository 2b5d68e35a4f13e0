import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import rateCardFile from '../../data/rate-card.json';
import { RateCardConflict } from '../billing.errors';
import { parseRateCardFile } from './rate-card-file.policy';
import type { CardRate, StoredRate } from './rate-card.policy';
import { RateRepository } from './rate.repository';

export interface Seeded {
  /** Prices that were added, and prices that were given an end. */
  readonly added: bigint;
  readonly ended: bigint;
}

/** Brings the rate card that comes with the code into the database. */
@Injectable()
export class RateCardService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rates: RateRepository,
    private readonly audit: AuditService,
  ) {}

  /**
   * Adds what is missing and ends what has got an end; seeding twice is seeding once. Needs a process that may write
   * prices (the api or a command on the operators' role).
   * @throws RateCardConflict when a stored price differs; nothing is changed then
   */
  seed(by: Author, wanted: readonly CardRate[] = parseRateCardFile(rateCardFile)): Promise<Seeded> {
    return this.uow.forSystem(async () => {
      await this.rates.lockForSeeding();
      const stored = new Map((await this.rates.all()).map((rate) => [nameOf(rate), rate]));
      let ended = 0n;
      let added = 0n;
      // Ends first, so that a new price can begin where the old one stops.
      for (const rate of wanted) {
        const known = stored.get(nameOf(rate));
        if (known && this.mustEnd(known, rate)) {
          await this.rates.end(known.id, rate.validTo ?? known.validFrom);
          ended += 1n;
        }
      }
      for (const rate of wanted) {
        if (stored.has(nameOf(rate))) continue;
        await this.rates.insert(rate);
        added += 1n;
      }
      if (added + ended > 0n) {
        const detail = { added: added.toString(), ended: ended.toString() };
        await this.audit.record({ ...by, action: 'rate-card.seed', subject: 'rate-card', detail });
      }
      return { added, ended };
    });
  }

  private mustEnd(known: StoredRate, wanted: CardRate): boolean {
    const samePrice = known.amountMicro === wanted.amountMicro && known.perUnits === wanted.perUnits;
    const sameEnd = known.validTo?.getTime() === wanted.validTo?.getTime();
    if (samePrice && sameEnd) return false;
    if (samePrice && known.validTo === null) return true;
    throw new RateCardConflict(known.sku, known.card, known.validFrom, known.amountMicro, wanted.amountMicro);
  }
}

function nameOf(rate: CardRate): string {
  return [rate.card, rate.sku, rate.tierFrom, rate.validFrom.toISOString()].join('|');
}
