import type { PricingPlan } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import type { SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { plansAfter, type PlanSpan, type SeenPlans } from './account-plan.policy';

/** Which pricing plan SES had each account on, and from when: what its mail is priced by. */
@Injectable()
export class AccountPlanRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Writes down what was just seen. The caller holds the account's row, so that two looks follow each other. */
  async observe(account: SendingAccountId, seen: SeenPlans, at: Date): Promise<void> {
    const rows = await this.uow.query<{ pricing_plan: PricingPlan; valid_from: Date; valid_to: Date | null }>(
      'SELECT pricing_plan, valid_from, valid_to FROM account_plan WHERE sending_account_id = $1 ORDER BY valid_from',
      [account],
    );
    const known = rows.map((row) => ({
      pricingPlan: row.pricing_plan,
      validFrom: row.valid_from,
      validTo: row.valid_to,
    }));
    const wanted = plansAfter(known, seen, at);
    const changed = wanted.findIndex((span, index) => !same(span, known[index]));
    if (changed === -1 && wanted.length === known.length) return;
    const kept = changed === -1 ? wanted.length : changed;
    await this.replaceFrom(account, known[kept]?.validFrom, wanted.slice(kept));
  }

  private async replaceFrom(
    account: SendingAccountId,
    from: Date | undefined,
    spans: readonly PlanSpan[],
  ): Promise<void> {
    if (from) {
      await this.uow.query('DELETE FROM account_plan WHERE sending_account_id = $1 AND valid_from >= $2', [
        account,
        from,
      ]);
    }
    await this.uow.query(
      `INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from, valid_to)
       SELECT $1, * FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[])`,
      [
        account,
        spans.map((span) => span.pricingPlan),
        spans.map((span) => span.validFrom),
        spans.map((span) => span.validTo),
      ],
    );
  }
}

function same(span: PlanSpan, known: PlanSpan | undefined): boolean {
  return (
    span.pricingPlan === known?.pricingPlan &&
    span.validFrom.getTime() === known.validFrom.getTime() &&
    span.validTo?.getTime() === known.validTo?.getTime()
  );
}
