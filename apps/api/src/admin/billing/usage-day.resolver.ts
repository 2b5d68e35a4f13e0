import { UsageDays, type RollUp } from '@libs/billing';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import type { AdminRequest } from '../admin.loaders';
import { CountUsageDayInput, CountUsageDayPayload, UsageDay } from './usage-day.type';

/** Which days are counted, and counting on demand. A worker counts. */
@Resolver()
export class UsageDayResolver {
  constructor(
    private readonly days: UsageDays,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => [UsageDay], { description: 'The days of a month whose usage is counted, in order.' })
  async usageDays(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<UsageDay[]> {
    return (await this.days.counted(period)).map(toUsageDay);
  }

  @RequiresRole('operator')
  @Mutation(() => CountUsageDayPayload, {
    description:
      'Asks a worker to count a day now, first or again. It does so by itself when the day is due; counting twice is counting once.',
  })
  countUsageDay(@Input() input: CountUsageDayInput, @Context() context: AdminRequest): Promise<CountUsageDayPayload> {
    return this.payloads.of<Omit<CountUsageDayPayload, 'userErrors'>>({ usageDay: null }, async () => {
      const counted = await this.days.ask(input.day, authorOf(context));
      return { usageDay: counted && toUsageDay(counted) };
    });
  }
}

function toUsageDay({ day, revision, rolledAt, attempts, recipients, inDoubt, srcHash }: RollUp): UsageDay {
  return { day, revision, countedAt: rolledAt, attempts, recipients, inDoubt, hash: srcHash };
}
