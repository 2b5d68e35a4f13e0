import { BillingProfiles, TenantBilling } from '@libs/billing';
import { formatUsd } from '@libs/kernel';
import { Args, Context, Int, Mutation, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { BigIntScalar } from '../../graphql/scalars';
import type { CustomerRequest } from '../customer.loaders';
import { toTenantEvent } from '../message/message.mapping';
import { EventType } from '../message/message.type';
import {
  UpdateBillingProfileInput,
  UpdateBillingProfilePayload,
  UpdateSpendSettingsInput,
  UpdateSpendSettingsPayload,
} from './billing.input';
import { toBilling, toChargeLine, toSpend, toSpendChange } from './billing.mapping';
import { Billing, BillingEstimate, BillingProfile, SpendSettings } from './billing.type';

@Resolver(() => Billing)
export class BillingResolver {
  constructor(
    private readonly tenantBilling: TenantBilling,
    private readonly profiles: BillingProfiles,
    private readonly payloads: Payloads,
  ) {}

  @RequiresScope('billing:read')
  @Query(() => Billing, { description: 'What this month costs so far, and by its end.' })
  async billing(@Context() { principal }: CustomerRequest): Promise<Billing> {
    return toBilling(await this.tenantBilling.currentMonth(principal.tenantId));
  }

  @RequiresScope('billing:read')
  @Query(() => BillingEstimate, { description: 'What a month of this size would be charged by your price of now.' })
  async billingEstimate(
    @Args('recipients', { type: () => BigIntScalar, description: '0 to 1,000,000,000,000 a month.' })
    recipients: bigint,
    @Args('dedicatedIps', { type: () => Int, defaultValue: 0, description: 'Dedicated IPs of your own, 0 to 10,000.' })
    dedicatedIps: number,
    @Context() { principal }: CustomerRequest,
  ): Promise<BillingEstimate> {
    const found = await this.tenantBilling.estimate(principal.tenantId, recipients, BigInt(dedicatedIps));
    return { lines: found.charges.map(toChargeLine), charge: formatUsd(found.totalMicro) };
  }

  @ResolveField(() => SpendSettings, { description: 'Alerts and cap.' })
  async spend(@Context() { principal }: CustomerRequest): Promise<SpendSettings> {
    return toSpend(await this.tenantBilling.spend(principal.tenantId));
  }

  @ResolveField(() => [EventType], { description: 'Thresholds that were reached this month, oldest first.' })
  async events(@Context() { principal }: CustomerRequest): Promise<EventType[]> {
    return (await this.tenantBilling.events(principal.tenantId)).map(toTenantEvent);
  }

  @ResolveField(() => BillingProfile, {
    nullable: true,
    description: 'Whom invoices are made out to. Null: to your name as the operator wrote it.',
  })
  async profile(@Context() { principal }: CustomerRequest): Promise<BillingProfile | null> {
    const found = await this.profiles.find(principal.tenantId);
    return found && { ...found, address: [...found.address] };
  }

  @RequiresScope('billing:write')
  @Mutation(() => UpdateSpendSettingsPayload, {
    description: 'Sets alerts and cap. A cap that is raised or taken away lets marketing mail go on at once.',
  })
  updateSpendSettings(
    @Input() input: UpdateSpendSettingsInput,
    @Context() context: CustomerRequest,
  ): Promise<UpdateSpendSettingsPayload> {
    const { tenantId } = context.principal;
    return this.payloads.of<Omit<UpdateSpendSettingsPayload, 'userErrors'>>({ spend: null }, async () => ({
      spend: toSpend(await this.tenantBilling.updateSpend(tenantId, toSpendChange(input), authorOf(context))),
    }));
  }

  @RequiresScope('billing:write')
  @Mutation(() => UpdateBillingProfilePayload, { description: 'Sets whom invoices are made out to.' })
  updateBillingProfile(
    @Input() input: UpdateBillingProfileInput,
    @Context() context: CustomerRequest,
  ): Promise<UpdateBillingProfilePayload> {
    return this.payloads.of<Omit<UpdateBillingProfilePayload, 'userErrors'>>({ profile: null }, async () => {
      const wanted = { ...input, taxId: input.taxId ?? null, email: input.email ?? null };
      const saved = await this.profiles.update(context.principal.tenantId, wanted, authorOf(context));
      return { profile: { ...saved, address: [...saved.address] } };
    });
  }
}
