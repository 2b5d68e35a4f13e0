import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { PeriodState } from '../close/close.policy';
import { IDLE } from '../cost/allocation.policy';
import { FleetNamesRepository } from './fleet-names.repository';
import { idleRows, type IdleRow } from './idle-cost.policy';
import { margin, type Margin, type MarginRow, type MarginView } from './margin.policy';
import { MonthMoneyService, type MonthCosts } from './month-money.service';
import { waterfall, type Waterfall } from './waterfall.policy';

/** Which month a report is about, and how final it is. */
export interface ReportHead {
  readonly period: string;
  readonly state: PeriodState;
  readonly asOf: Date;
}

export interface MarginReport extends ReportHead, Omit<Margin, 'rows'> {
  readonly view: MarginView;
  /** `name` is what people call it. */
  readonly rows: readonly (MarginRow & { readonly name: string })[];
}

export interface WaterfallReport extends ReportHead, Waterfall {}

export interface IdleReport extends ReportHead {
  readonly fleetMicro: bigint;
  readonly idleMicro: bigint;
  readonly rows: readonly (IdleRow & { readonly account: string | null; readonly pool: string | null })[];
}

const NAMES = { IDLE: 'idle', PLATFORM: 'platform', NONE: 'none' } as const;

/** What a month cost, what it brought in, and what was wasted. For operators. */
@Injectable()
export class BillingReports {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly money: MonthMoneyService,
    private readonly names: FleetNamesRepository,
  ) {}

  /**
   * Price less cost, by row and line.
   * @throws DomainError INVALID_INPUT (period), CONFLICT (period) where a plan had no price; RateMissing
   */
  margin(period: string, view: MarginView): Promise<MarginReport> {
    return this.uow.forSystem(async () => {
      const costs = await this.money.costs(period);
      const prices = await this.money.prices(costs);
      const tenants = await this.names.tenants();
      const accounts = await this.names.accounts();
      const tiers = new Map([...tenants].map(([id, { tier }]) => [id, tier]));
      const { rows, ...sums } = margin(view, costs.shares, prices, tiers);
      const nameOf = ({ kind, key }: MarginRow): string => {
        if (kind === 'IDLE' || kind === 'PLATFORM' || kind === 'NONE' || key === null) {
          return NAMES[kind === 'IDLE' || kind === 'PLATFORM' ? kind : 'NONE'];
        }
        if (kind === 'TIER') return key;
        const found = kind === 'TENANT' ? tenants.get(key as TenantId) : accounts.get(key as SendingAccountId);
        return found?.name ?? key;
      };
      return { ...headOf(costs), view, ...sums, rows: rows.map((row) => ({ ...row, name: nameOf(row) })) };
    });
  }

  /** From what tenants used to what the fleet cost. @throws DomainError INVALID_INPUT (period); RateMissing */
  waterfall(period: string): Promise<WaterfallReport> {
    return this.uow.forSystem(async () => {
      const costs = await this.money.costs(period);
      return { ...headOf(costs), ...waterfall(costs.shares) };
    });
  }

  /** What was paid for and not used. @throws DomainError INVALID_INPUT (period); RateMissing */
  idle(period: string): Promise<IdleReport> {
    return this.uow.forSystem(async () => {
      const costs = await this.money.costs(period);
      const accounts = await this.names.accounts();
      const pools = await this.names.pools();
      const accountOf = (id: SendingAccountId | null) => (id === null ? null : (accounts.get(id)?.name ?? null));
      const poolOf = (id: LaneId | null) => (id === null ? null : (pools.get(id) ?? null));
      return {
        ...headOf(costs),
        fleetMicro: sum(costs.shares),
        idleMicro: sum(costs.shares.filter((share) => share.bearer === IDLE)),
        rows: idleRows(costs.shares).map((row) => ({
          ...row,
          account: accountOf(row.sendingAccountId),
          pool: poolOf(row.laneId),
        })),
      };
    });
  }
}

export function headOf({ month, state, asOf }: MonthCosts): ReportHead {
  return { period: month.name, state, asOf };
}

function sum(shares: readonly { readonly costMicro: bigint }[]): bigint {
  return shares.reduce((all, share) => all + share.costMicro, 0n);
}
