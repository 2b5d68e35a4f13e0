import { UnitOfWork } from '@libs/database';
import { EngineClock, isFresh, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { allowanceFor, allowancesAhead, needsHistory, type DayAllowance, type RampTerms } from './ramp.policy';
import { RampRepository } from './ramp.repository';

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 7;
/** How long a changed plan or ramp may stay unnoticed, real milliseconds. */
const TERMS_MS = 4_000;
/** As many are remembered at least; more where more are asked for at once, or each look would read all of them anew. */
const MAX_TENANTS = 50_000;

interface Known {
  readonly terms: RampTerms;
  readonly readAtMs: number;
}

/**
 * What a tenant may send today, told quickly: plans are read every few seconds, and days that are over once a day, for
 * tenants alone whose plan lets them send more than anybody may.
 */
@Injectable()
export class RampService {
  private readonly known = new Map<TenantId, Known>();
  private readonly highest = new Map<TenantId, bigint>();
  private day = Number.NaN;
  private most = MAX_TENANTS;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: RampRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * By tenant: recipients of LIVE mail per rolling 24 h, the plan's own cap included. Joins the unit that is open, so a
   * customer's request learns of its own tenant; unknown tenants are missing.
   */
  async allowance(tenants: readonly TenantId[]): Promise<Map<TenantId, DayAllowance>> {
    const nowMs = this.clock.nowMs();
    this.most = Math.max(this.most, 2 * tenants.length);
    this.turnPage(nowMs);
    const unknown = tenants.filter((tenant) => !this.isCurrent(tenant, nowMs));
    if (unknown.length > 0) await this.uow.forShared(() => this.learn(unknown, nowMs));
    const allowances = new Map<TenantId, DayAllowance>();
    for (const tenant of tenants) {
      const terms = this.known.get(tenant)?.terms;
      if (terms) allowances.set(tenant, this.allowanceBy(terms, tenant));
    }
    return allowances;
  }

  /** The same of one tenant without a question to anybody; undefined when what is known of it is too old. */
  current(tenant: TenantId): DayAllowance | undefined {
    const nowMs = this.clock.nowMs();
    this.turnPage(nowMs);
    const known = this.isCurrent(tenant, nowMs) ? this.known.get(tenant) : undefined;
    return known && this.allowanceBy(known.terms, tenant);
  }

  /** What the tenant may send today and on days to come, when it uses up each; empty for an unknown tenant. */
  async ahead(tenant: TenantId, days: number): Promise<DayAllowance[]> {
    await this.allowance([tenant]);
    const terms = this.known.get(tenant)?.terms;
    return terms ? allowancesAhead(terms, this.highest.get(tenant) ?? 0n, days) : [];
  }

  private allowanceBy(terms: RampTerms, tenant: TenantId): DayAllowance {
    return allowanceFor(terms, this.highest.get(tenant) ?? 0n);
  }

  private async learn(tenants: readonly TenantId[], nowMs: number): Promise<void> {
    const { day } = this;
    const terms = await this.rows.terms(tenants);
    const withHistory = [...terms].filter(([id, own]) => needsHistory(own) && !this.highest.has(id)).map(([id]) => id);
    const today = day * DAY_MS;
    const days =
      withHistory.length === 0
        ? new Map<TenantId, bigint>()
        : await this.rows.highestDays(withHistory, new Date(today - HISTORY_DAYS * DAY_MS), new Date(today));
    // Read for a day that has ended meanwhile.
    if (day !== this.day) return this.learn(tenants, nowMs);
    for (const tenant of withHistory) this.highest.set(tenant, days.get(tenant) ?? 0n);
    for (const [tenant, own] of terms) this.known.set(tenant, { terms: own, readAtMs: nowMs });
  }

  private isCurrent(tenant: TenantId, nowMs: number): boolean {
    const known = this.known.get(tenant);
    return known !== undefined && isFresh(known.readAtMs, nowMs, TERMS_MS * this.clock.scale.speed);
  }

  /** A new day has another week before it; and no cache grows without end. */
  private turnPage(nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS);
    if (day === this.day && this.known.size <= this.most) return;
    this.day = day;
    this.known.clear();
    this.highest.clear();
  }
}
