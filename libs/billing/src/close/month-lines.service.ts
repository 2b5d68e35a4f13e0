import { UnitOfWork } from '@libs/database';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import { fleetLines } from '../cost/fleet-costs.policy';
import { RateCards } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';
import { UsageFactsService } from '../usage/usage-facts.service';
import { BillingPeriodRepository } from './billing-period.repository';
import { FleetLineRepository } from './fleet-line.repository';
import { hashOfLines } from './line-hash.policy';

/** Stores what a month cost and who bears it, as it is known now. */
@Injectable()
export class MonthLinesService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly lines: FleetLineRepository,
    private readonly facts: UsageFactsService,
    private readonly rates: RateRepository,
    private readonly log: Log,
  ) {}

  /**
   * Computes the lines and who bears them, and replaces what is stored as a whole in one unit of work: nobody ever sees half of
   * them. What a bill said beyond them goes too, and is found again by holding it against them. Nothing happens to a FINAL month,
   * nor where somebody who looked later has stored what he found.
   * @throws RateMissing when usage fell where no price is in force
   */
  async compute({ name, start, end }: Period): Promise<void> {
    const facts = await this.facts.facts(name);
    const lines = fleetLines(facts, new RateCards(await this.uow.forSystem(() => this.rates.all())));
    await this.uow.forSystem(async () => {
      const { state, refreshedAt } = await this.periods.lock(name);
      if (state === 'FINAL' || (refreshedAt !== null && refreshedAt > facts.now)) return;
      await this.lines.clear(name, ['PROVISIONAL', 'CUR']);
      await this.lines.storeReckoned(name, lines);
      const doubt = await this.periods.inDoubt({ name, start, end });
      await this.periods.refreshed(name, { at: facts.now, inputHash: hashOfLines(lines), doubt });
      if (doubt.messages > 0n) {
        this.log.warn('sends of a billing period are in doubt: they are in no line yet, and carried', {
          period: name,
          messages: doubt.messages.toString(),
          recipients: doubt.recipients.toString(),
        });
      }
    });
  }
}
