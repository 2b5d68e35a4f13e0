import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  notFound,
  type Mode,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Ledger, type Fraction, type LedgerStats } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import { bestRoute, type Sender } from './accept-route.policy';
import { forecast, type Forecast } from './limits-forecast.policy';
import { LimitsRepository, type AccountFacts } from './limits.repository';

export interface SendingLimits {
  /** Recipients per rolling 24 h, the smaller of plan and capacity; -1 = unlimited. */
  readonly recipientsPer24h: bigint;
  /** Recipients sent in the last 24 h. */
  readonly usedLast24h: bigint;
  /** Recipients per second, a decimal. */
  readonly recipientsPerSecond: string;
  /** When the full window frees again; null while there is room. */
  readonly nextFreeAt: Date | null;
  readonly pausedReason: string | null;
}

export interface ForecastRequest {
  readonly recipients: number;
  readonly stream: Stream;
  readonly startAt?: Date | null;
}

const DAY_MS = 86_400_000;
const MAX_RECIPIENTS = 1_000_000_000;
/** A backlog is counted up to this many messages. */
const ENOUGH = 1_000_000n;

/** What a tenant may send, and when a volume would be out. Shows kinds of limits, never accounts. */
@Injectable()
export class LimitsService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly senders: AcceptRepository,
    private readonly rows: LimitsRepository,
    private readonly ledger: Ledger,
  ) {}

  sendingLimits(tenant: TenantId, mode: Mode): Promise<SendingLimits> {
    return this.uow.forTenant(tenant, async () => {
      const now = this.clock.nowMs();
      const sender = await this.sender(tenant, mode);
      const accounts = await this.rows.accounts([...new Set(sender.routes.map((route) => route.sendingAccountId))]);
      const use = await this.rows.use(tenant, mode, new Date(now - DAY_MS));
      const quota = accounts.some((account) => account.quota < 0n)
        ? -1n
        : accounts.reduce((sum, account) => sum + account.quota, 0n);
      const cap = sender.limits.dayCap;
      const recipientsPer24h = cap === null ? quota : quota < 0n || cap < quota ? cap : quota;
      const rate = accounts.reduce((sum, account) => sum + account.rate, 0);
      const full = recipientsPer24h >= 0n && use.used >= recipientsPer24h;
      return {
        recipientsPer24h,
        usedLast24h: use.used,
        recipientsPerSecond: decimal(Math.min(perSecond(sender.limits.rate) ?? Number.POSITIVE_INFINITY, rate)),
        nextFreeAt: full && use.oldest !== null ? new Date(use.oldest.getTime() + DAY_MS) : null,
        pausedReason: sender.state === 'PAUSED' ? (sender.pausedReason ?? 'paused by the operator') : null,
      };
    });
  }

  /**
   * When this volume would be out. Reserves nothing.
   * @throws DomainError INVALID_INPUT, FORBIDDEN_BY_PLAN, NO_CAPACITY
   */
  async forecast(tenant: TenantId, mode: Mode, request: ForecastRequest): Promise<Forecast> {
    if (!Number.isInteger(request.recipients) || request.recipients < 1 || request.recipients > MAX_RECIPIENTS) {
      const message = `Give 1 to ${String(MAX_RECIPIENTS)} recipients.`;
      throw new DomainError({ code: 'INVALID_INPUT', message, path: ['recipients'] });
    }
    return this.uow.forTenant(tenant, async () => {
      const nowMs = this.clock.nowMs();
      const sender = await this.sender(tenant, mode);
      if (!sender.streams.includes(request.stream)) {
        const message = `Your plan does not include ${request.stream} mail.`;
        throw new DomainError({ code: 'FORBIDDEN_BY_PLAN', message, path: ['stream'] });
      }
      const account = await this.account(bestRoute(request.stream, sender.routes)?.sendingAccountId);
      const use = await this.rows.use(tenant, mode, new Date(nowMs - DAY_MS));
      return forecast({
        recipients: BigInt(request.recipients),
        startMs: Math.max(nowMs, request.startAt?.getTime() ?? nowMs),
        nowMs,
        waiting: await this.senders.waiting(tenant, mode, ENOUGH),
        planDayCap: sender.limits.dayCap,
        planUsed: use.used,
        planRate: perSecond(sender.limits.rate),
        accountQuota: account.quota,
        accountUsed: account.used24h,
        accountRate: account.rate,
        paused: sender.state === 'PAUSED' || !account.sending,
      });
    });
  }

  /** What the ledger says of an account; undefined without Redis or before the ledger is built. */
  async live(id: SendingAccountId): Promise<LedgerStats | undefined> {
    try {
      return await this.ledger.stats(id);
    } catch {
      return undefined;
    }
  }

  private async sender(tenant: TenantId, mode: Mode): Promise<Sender> {
    const sender = await this.senders.sender(tenant, mode, []);
    if (!sender) throw notFound('The tenant');
    return sender;
  }

  private async account(id: SendingAccountId | undefined): Promise<AccountFacts> {
    const [account] = id === undefined ? [] : await this.rows.accounts([id]);
    if (!account) {
      const message = 'No sending capacity is assigned to this stream yet.';
      throw new DomainError({ code: 'NO_CAPACITY', message, path: ['stream'] });
    }
    const live = await this.live(account.id);
    return live ? { ...account, quota: live.quota, used24h: live.used24h } : account;
  }
}

/** Recipients per second as a plain number: for estimates, never for granting. */
export function perSecond(rate: Fraction | null): number | null {
  return rate === null ? null : rate.num / rate.den;
}

function decimal(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 1_000) / 1_000) : '0';
}
