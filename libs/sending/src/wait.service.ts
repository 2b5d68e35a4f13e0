import { UnitOfWork } from '@libs/database';
import {
  domainOf,
  EngineClock,
  isSameOrBelow,
  MODES,
  STREAMS,
  type MessageId,
  type Mode,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import { AheadService } from './ahead.service';
import { ownersOf, type Sender } from './accept-route.policy';
import { regionServes } from './accept.policy';
import { LimitsRepository, type Ahead, type WaitingMessage } from './limits.repository';
import { closedUntil, LimitsService, othersAt, perSecond, takenOf, warmUpOf, type LiveAccount } from './limits.service';
import { explainWait, type Wait } from './wait.policy';

/** Answers "why not yet" for messages of one tenant. */
@Injectable()
export class WaitService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly senders: AcceptRepository,
    private readonly rows: LimitsRepository,
    private readonly ahead: AheadService,
    private readonly limits: LimitsService,
  ) {}

  /** The wait of each message that has one; a message that has gone, or never will, is not in the answer. */
  waits(tenant: TenantId, ids: readonly MessageId[]): Promise<Map<MessageId, Wait>> {
    return this.uow.forTenant(tenant, async () => {
      const waits = new Map<MessageId, Wait>();
      const waiting = await this.rows.waiting(tenant, ids);
      for (const mode of MODES) {
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
    const { cap, limit, later } = await this.limits.dayCapOf(tenant, mode, sender);
    // Where they wait, and where else they could.
    const accounts = await this.limits.accounts([...messages, ...sender.routes]);
    const use = await this.limits.useOf(tenant, mode, cap, nowMs);
    const ahead = await this.aheadOf(tenant, mode, messages);
    const own = {
      tenantPaused: sender.state === 'PAUSED',
      pausedReason: sender.pausedReason,
      dayCap: cap,
      dayLimit: limit,
      laterCaps: later,
      tenantUsed: use.counted,
      tenantNextFreeMs: use.inTheWay === null ? null : this.limits.leavesCapMs(use.inTheWay),
      planRate: perSecond(sender.limits.rate),
      weight: sender.limits.weight,
    };
    for (const message of messages) {
      const account = accounts.find((one) => one.id === message.sendingAccountId);
      if (!account) continue;
      const domain = domainOf(message.fromAddress);
      const wait = explainWait(
        waitingOf(message, ahead.get(message.id)),
        {
          ...own,
          ...circumstancesOf(account, message, tenant),
          heldUntilMs: heldUntil(sender, message),
          domainReady: sender.domains.some((known) => known.ready && isSameOrBelow(domain, known.name)),
          domainVerified: message.domainVerified,
          openElsewhere: isOpenElsewhere(message, sender, accounts, nowMs),
        },
        nowMs,
      );
      if (wait) into.set(message.id, wait);
    }
  }

  private async aheadOf(
    tenant: TenantId,
    mode: Mode,
    messages: readonly WaitingMessage[],
  ): Promise<Map<MessageId, Ahead>> {
    const all = new Map<MessageId, Ahead>();
    for (const stream of STREAMS) {
      const ids = messages.filter((one) => one.stream === stream && one.state === 'READY').map((one) => one.id);
      for (const [id, ahead] of await this.ahead.of(tenant, mode, stream, ids)) all.set(id, ahead);
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
    region: message.region,
    routeMissing: message.routeMissing,
    routePaused: message.routePaused,
    routeHeldUntilMs: message.routeHeldUntil?.getTime() ?? null,
    scheduledAtMs: message.scheduledAt?.getTime() ?? null,
    notBeforeMs: message.notBefore?.getTime() ?? null,
    expiresAtMs: message.expiresAt.getTime(),
    aheadMessages: ahead?.messages ?? 0,
    aheadRecipients: ahead?.recipients ?? 0,
  };
}

function circumstancesOf(account: LiveAccount, message: WaitingMessage, tenant: TenantId) {
  const { live } = account;
  return {
    accountSending: account.sending,
    accountQuota: account.quota,
    accountUsed: takenOf(account, message.stream),
    accountRate: account.rate,
    accountRoomReturnsMs: live?.roomReturnsAtMs ?? null,
    frozenUntilMs: live?.frozenUntilMs ?? 0,
    warmUp: warmUpOf(account, message.laneId),
    rateFreeMs: live?.rateFreeAtMs ?? 0,
    others: othersAt(account, tenant, message.stream),
  };
}

/** Engine milliseconds. */
function heldUntil(sender: Sender, { stream }: Pick<WaitingMessage, 'stream'>): number | null {
  return sender.holds.find((hold) => hold.stream === stream)?.until.getTime() ?? null;
}

/** Another placement of the stream is open, and only the region the message asks for keeps it from there. */
function isOpenElsewhere(
  message: WaitingMessage,
  sender: Sender,
  accounts: readonly LiveAccount[],
  nowMs: number,
): boolean {
  if (message.region === null) return false;
  const elsewhere = sender.routes.filter(
    (route) => route.stream === message.stream && route.weight > 0 && !regionServes(message.region, route.region),
  );
  return elsewhere.some((route) => {
    const account = accounts.find((one) => one.id === route.sendingAccountId);
    return account?.sending === true && closedUntil(account, nowMs) === null;
  });
}
