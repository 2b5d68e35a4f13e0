import { RateCardService } from '@libs/billing';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { DateTime } from '../../graphql/scalars';
import type { AdminRequest } from '../admin.loaders';
import { EndRateInput, PublishRateInput } from './rate.input';
import { dollarsOf, inAmounts, isMeant, toRate } from './rate.mapping';
import { EndRatePayload, PublishRatePayload, Rate, RateGap } from './rate.type';

/** What we are charged. */
@Resolver()
export class RateResolver {
  constructor(
    private readonly rates: RateCardService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => [Rate], { description: 'Versions of the prices we are charged, by card, sku, tier and time.' })
  async rateCard(
    @Args('card', { type: () => String, nullable: true, description: 'One card. Null: all of them.' })
    card: string | null | undefined,
    @Args('at', { type: () => DateTime, nullable: true, description: 'Those in force then. Null: every version.' })
    at: Date | null | undefined,
  ): Promise<Rate[]> {
    return (await this.rates.list()).filter(isMeant(card ?? null, at ?? null)).map(toRate);
  }

  @RequiresRole('viewer')
  @Query(() => [RateGap], {
    description: 'Where, in a month, something has no price that had one before: its usage cannot be reckoned there.',
  })
  rateGaps(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<RateGap[]> {
    return this.rates.gaps(period);
  }

  @RequiresRole('owner')
  @Mutation(() => PublishRatePayload, {
    description: 'Publishes what we are charged from a day on. End the version in force until then first.',
  })
  publishRate(@Input() input: PublishRateInput, @Context() context: AdminRequest): Promise<PublishRatePayload> {
    return this.payloads.of<Omit<PublishRatePayload, 'userErrors'>>({ rate: null }, async () => {
      const { amount, ...rate } = input;
      const wanted = { ...rate, amountMicro: dollarsOf('amount', amount), validTo: null };
      return { rate: toRate(await inAmounts(this.rates.add(wanted, authorOf(context)))) };
    });
  }

  @RequiresRole('owner')
  @Mutation(() => EndRatePayload, {
    description:
      'Ends a price without another one. What is used after it has no price, and its month cannot be reckoned until it has.',
  })
  endRate(@Input() input: EndRateInput, @Context() context: AdminRequest): Promise<EndRatePayload> {
    return this.payloads.of<Omit<EndRatePayload, 'userErrors'>>({ rate: null }, async () => {
      const id = /^\d{1,18}$/.test(input.rateId) ? BigInt(input.rateId) : 0n;
      return { rate: toRate(await this.rates.end(id, input.validTo, authorOf(context))) };
    });
  }
}
