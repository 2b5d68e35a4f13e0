import { UnitOfWork } from '@libs/database';
import { MODES, type Mode, type SendingAccountId, type Stream, type TenantId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import { bestRoute } from './accept-route.policy';
import { ReadyOffers } from './backlog-offer.service';
import { BacklogRepository, type MovedMessage, type Target } from './backlog.repository';

const PAGE = 1_000;

/** What waits, and taking it along when a tenant moves. */
@Injectable()
export class BacklogService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: BacklogRepository,
    private readonly senders: AcceptRepository,
    private readonly offers: ReadyOffers,
    private readonly ledger: Ledger,
  ) {}

  /** Messages and recipients of a tenant that wait, on one sending account or on all. */
  count(tenant: TenantId, account?: SendingAccountId): Promise<{ messages: bigint; recipients: bigint }> {
    return this.uow.forTenant(tenant, () => this.rows.count(tenant, account ?? null));
  }

  /**
   * Moves everything of the tenant that waits to where its placements point now, and answers how many messages that
   * were. For the job that follows a change of placement; run again, it finds nothing.
   */
  async followPlacements(tenant: TenantId): Promise<number> {
    // Accepts that read the old placement commit first; those that come later read the new one.
    await this.uow.forSystem(() => this.rows.awaitAccepts(tenant));
    let moved = 0;
    for (const mode of MODES) {
      const sender = await this.uow.forSystem(() => this.senders.sender(tenant, mode, []));
      for (const stream of new Set(sender?.routes.map((route) => route.stream) ?? [])) {
        const route = bestRoute(stream, sender?.routes ?? []);
        if (route) moved += await this.move(tenant, stream, mode, route);
      }
    }
    return moved;
  }

  /** Moves what waits of one stream to a sending account and lane, a page a transaction; what is being sent stays. */
  async move(tenant: TenantId, stream: Stream, mode: Mode, to: Target): Promise<number> {
    const left = new Set<SendingAccountId>();
    let moved = 0;
    for (;;) {
      const page = await this.uow.forSystem(() => this.rows.movePage(tenant, mode, stream, to, PAGE));
      for (const message of page) if (message.from !== to.sendingAccountId) left.add(message.from);
      moved += page.length;
      await this.offerAgain(tenant, stream, mode, to, page);
      if (page.length < PAGE) break;
    }
    for (const account of left) await this.forget(account, tenant, stream);
    return moved;
  }

  private async offerAgain(
    tenant: TenantId,
    stream: Stream,
    mode: Mode,
    to: Target,
    page: readonly MovedMessage[],
  ): Promise<void> {
    const messages = page.filter((message) => message.ready);
    if (messages.length === 0) return;
    const sender = await this.uow.forSystem(() => this.senders.sender(tenant, mode, []));
    if (!sender) return;
    await this.offers.offer([
      { tenantId: tenant, sendingAccountId: to.sendingAccountId, stream, limits: sender.limits, messages },
    ]);
  }

  /** Ids left behind in the old account's list cost a wasted grant each, nothing more: the claim finds them gone. */
  private async forget(account: SendingAccountId, tenant: TenantId, stream: Stream): Promise<void> {
    try {
      await this.ledger.drop(account, tenant, stream);
    } catch {
      // Redis is away: what is rebuilt later comes from PostgreSQL, where the messages have moved.
    }
  }
}
