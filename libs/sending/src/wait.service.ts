import { UnitOfWork } from '@libs/database';
import {
  domainOf,
  EngineClock,
  isSameOrBelow,
  type MessageId,
  type Mode,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import { ownersOf, type Sender } from './accept-route.policy';
import {
  LimitsRepository,
  type AccountFacts,
  type Ahead,
  type TenantUse,
  type WaitingMessage,
} from './limits.repository';
import { LimitsService, perSecond } from './limits.service';
import { explainWait, type Circumstances, type Wait } from './wait.policy';

const DAY_MS = 86_400_000;

/** Answers "why not yet" for messages of one tenant. */
@Injectable()
export class WaitService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly senders: AcceptRepository,
    private readonly rows: LimitsRepository,
    private readonly limits: LimitsService,
  ) {}

  /** The wait of each message that has one; a message that has gone, or never will, is not in the answer. */
  waits(tenant: TenantId, ids: readonly MessageId[]): Promise<Map<MessageId, Wait>> {
    return this.uow.forTenant(tenant, async () => {
      const waits = new Map<MessageId, Wait>();
      const waiting = await this.rows.waiting(tenant, ids);
      for (const mode of ['LIVE', 'TEST'] as const) {
        const messages = waiting.filter((message) => message.mode === mode);
        if (messages.length > 0) await this.explain(tenant, mode, messages, waits);
      }
      return waits;
    });
  }

  private async explain(
    tenant: TenantId,
    mode: Mode,
    messages: readonly WaitingMessage[],
    into: Map<MessageId, Wait>,
  ): Promise<void> {
    const nowMs = this.clock.nowMs();
    const domains = new Set(messages.flatMap((message) => ownersOf(domainOf(message.fromAddress))));
    const sender = await this.senders.sender(tenant, mode, [...domains]);
    if (!sender) return;
    const accountIds = [...new Set(messages.map((message) => message.sendingAccountId))];
    const accounts = new Map((await this.rows.accounts(accountIds)).map((account) => [account.id, account]));
    const use = await this.rows.use(tenant, mode, new Date(nowMs - DAY_MS));
    const ahead = await this.aheadOf(tenant, mode, messages);
    for (const account of accounts.values()) {
      const live = await this.limits.live(account.id);
      for (const message of messages.filter((one) => one.sendingAccountId === account.id)) {
        const others = live?.ready.filter(
          (ready) => ready.tenantId !== tenant && ready.messages > 0 && !ready.atOwnLimit,
        );
        const facts = circumstances(message, sender, use, {
          ...account,
          ...(live ? { quota: live.quota, used24h: live.used24h } : {}),
        });
        const wait = explainWait(
          waitingOf(message, ahead.get(message.id)),
          {
            ...facts,
            frozenUntilMs: live?.frozenUntilMs ?? 0,
            tenantsWaiting: 1 + new Set((others ?? []).map((other) => other.tenantId)).size,
          },
          nowMs,
        );
        if (wait) into.set(message.id, wait);
      }
    }
  }

  private async aheadOf(
    tenant: TenantId,
    mode: Mode,
    messages: readonly WaitingMessage[],
  ): Promise<Map<MessageId, Ahead>> {
    const all = new Map<MessageId, Ahead>();
    for (const stream of ['TRANSACTIONAL', 'MARKETING'] as const satisfies readonly Stream[]) {
      const ids = messages.filter((one) => one.stream === stream && one.state === 'READY').map((one) => one.id);
      for (const [id, ahead] of await this.rows.ahead(tenant, mode, stream, ids)) all.set(id, ahead);
    }
    return all;
  }
}

function waitingOf(message: WaitingMessage, ahead: Ahead | undefined) {
  return {
    state: message.state,
    mode: message.mode,
    stream: message.stream,
    recipients: message.nRcpt,
    scheduledAtMs: message.scheduledAt?.getTime() ?? null,
    notBeforeMs: message.notBefore?.getTime() ?? null,
    aheadMessages: ahead?.messages ?? 0,
    aheadRecipients: ahead?.recipients ?? 0,
  };
}

function circumstances(
  message: WaitingMessage,
  sender: Sender,
  use: TenantUse,
  account: AccountFacts,
): Omit<Circumstances, 'frozenUntilMs' | 'tenantsWaiting'> {
  const domain = domainOf(message.fromAddress);
  return {
    tenantPaused: sender.state === 'PAUSED',
    pausedReason: sender.pausedReason,
    domainReady: sender.domains.some((own) => own.ready && isSameOrBelow(domain, own.name)),
    accountSending: account.sending,
    planDayCap: sender.limits.dayCap,
    planUsed: use.used,
    planNextFreeMs: use.oldest === null ? null : use.oldest.getTime() + DAY_MS,
    planRate: perSecond(sender.limits.rate),
    accountQuota: account.quota,
    accountUsed: account.used24h,
    accountRate: account.rate,
  };
}
