import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, formatUsd, notFound } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import rateCardFile from '../../data/rate-card.json';
import { parsePeriod } from '../billing-period.policy';
import { RateCardConflict } from '../billing.errors';
import { parseRateCardFile } from './rate-card-file.policy';
import { RateCards, type CardRate, type Gap, type StoredRate } from './rate-card.policy';
import { endIssues, newRateIssues } from './rate-edit.policy';
import { RateRepository } from './rate.repository';

export interface Seeded {
  /** Prices that were added, and prices that were given an end. */
  readonly added: bigint;
  readonly ended: bigint;
}

/** The prices we are charged: those that come with the code, and those that operators publish. */
@Injectable()
export class RateCardService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rates: RateRepository,
    private readonly audit: AuditService,
  ) {}

  /**
   * Adds what is missing and ends what has got an end; ends that operators gave stay. Seeding twice is seeding once. Needs
   * a process that may write prices (the api or a command on the operators' role).
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

  /** Every price, whenever it is in force. */
  list(): Promise<StoredRate[]> {
    return this.uow.forShared(() => this.rates.all());
  }

  /**
   * Adds a price. What is published never changes: end the old one, and let this one begin there.
   * @throws DomainError INVALID_INPUT with every wrong field; CONFLICT (validFrom) where it overlaps another one
   */
  add(wanted: CardRate, by: Author): Promise<StoredRate> {
    return this.uow.forSystem(async () => {
      await this.rates.lockForSeeding();
      DomainError.throwIfAny(newRateIssues(wanted, await this.rates.all(), await this.firstOpenMoment()));
      await this.rates.insert(wanted);
      const added = (await this.rates.all()).find((rate) => nameOf(rate) === nameOf(wanted));
      if (!added) throw new Error('a price was added and is not there');
      await this.audited('rate-card.add', added, by);
      return added;
    });
  }

  /**
   * Ends a price that has no end yet.
   * @throws DomainError NOT_FOUND (rateId); INVALID_INPUT and CONFLICT (validTo)
   */
  end(id: bigint, validTo: Date, by: Author): Promise<StoredRate> {
    return this.uow.forSystem(async () => {
      await this.rates.lockForSeeding();
      const rate = await this.rates.find(id);
      if (!rate) throw notFound('The price', ['rateId']);
      DomainError.throwIfAny(endIssues(rate, validTo, await this.firstOpenMoment()));
      await this.rates.end(id, validTo);
      const ended = { ...rate, validTo };
      await this.audited('rate-card.end', ended, by);
      return ended;
    });
  }

  /**
   * Where, in a month, something has no price that had one before.
   * @throws DomainError INVALID_INPUT (period)
   */
  async gaps(period: string): Promise<Gap[]> {
    const { start, end } = parsePeriod(period);
    return new RateCards(await this.list()).gaps(start, end);
  }

  private async firstOpenMoment(): Promise<Date | undefined> {
    const closed = await this.rates.lastClosedPeriod();
    return closed === undefined ? undefined : parsePeriod(closed).end;
  }

  private audited(action: string, rate: StoredRate, by: Author): Promise<void> {
    const { card, sku, validFrom, validTo, source } = rate;
    const price = `${formatUsd(rate.amountMicro)} per ${rate.perUnits} from unit ${rate.tierFrom}`;
    const detail = { card, sku, price, validFrom, validTo, source };
    return this.audit.record({ ...by, action, subject: `rate:${rate.id}`, detail });
  }

  private mustEnd(known: StoredRate, wanted: CardRate): boolean {
    const samePrice = known.amountMicro === wanted.amountMicro && known.perUnits === wanted.perUnits;
    const sameEnd = known.validTo?.getTime() === wanted.validTo?.getTime();
    if (samePrice && sameEnd) return false;
    // An end that the card does not know was given by an operator, and stays.
    if (samePrice && wanted.validTo === null) return false;
    if (samePrice && known.validTo === null) return true;
    throw new RateCardConflict(known.sku, known.card, known.validFrom, known.amountMicro, wanted.amountMicro);
  }
}

function nameOf(rate: CardRate): string {
  return [rate.card, rate.sku, rate.tierFrom, rate.validFrom.toISOString()].join('|');
}
