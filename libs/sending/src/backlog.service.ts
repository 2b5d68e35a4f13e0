import { UnitOfWork } from '@libs/database';
import {
  MODES,
  type LaneId,
  type MessageId,
  type Mode,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import type { Route, Sender } from './accept-route.policy';
import { regionServes } from './accept.policy';
import { ReadyOffers } from './backlog-offer.service';
import { BacklogRepository, FIRST, type HeldMessage, type Target } from './backlog.repository';
import { chooseByWeight } from './route-split.policy';

const PAGE = 1_000;

interface Moved {
  readonly message: HeldMessage;
  readonly to: Target;
}

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
   * were. What stands on one of several current placements stays there. For the job that follows a change of placement;
   * run again, it finds nothing.
   */
  async followPlacements(tenant: TenantId): Promise<number> {
    // Accepts that read the old placement commit first; those that come later read the new one.
    await this.uow.forSystem(() => this.rows.awaitAccepts(tenant));
    let moved = 0;
    for (const mode of MODES) {
      const sender = await this.uow.forSystem(() => this.senders.sender(tenant, mode, []));
      for (const stream of new Set(sender?.routes.map((route) => route.stream) ?? [])) {
        if (sender) moved += await this.follow(tenant, mode, stream, sender);
      }
    }
    return moved;
  }

  /** One stream, a page a transaction; what is being sent stays. */
  private async follow(tenant: TenantId, mode: Mode, stream: Stream, sender: Sender): Promise<number> {
    const routes = sender.routes.filter((route) => route.stream === stream && route.weight > 0);
    if (routes.length === 0) return 0;
    const left = new Set<SendingAccountId>();
    let moved = 0;
    let after: MessageId | undefined = FIRST;
    while (after !== undefined) {
      const page = await this.followPage(tenant, mode, stream, routes, after);
      after = page.last;
      for (const { message, to } of page.moved) {
        if (message.sendingAccountId !== to.sendingAccountId) left.add(message.sendingAccountId);
      }
      moved += page.moved.length;
      await this.offer(tenant, mode, stream, sender, page.moved);
    }
    for (const account of left) await this.forget(account, tenant, stream);
    return moved;
  }

  private followPage(
    tenant: TenantId,
    mode: Mode,
    stream: Stream,
    routes: readonly Route[],
    after: MessageId,
  ): Promise<{ last: MessageId | undefined; moved: Moved[] }> {
    return this.uow.forSystem(async () => {
      const ids = await this.rows.page(tenant, mode, stream, after, PAGE);
      const moved = (await this.rows.hold(tenant, ids)).flatMap((message) => {
        const to = routeOf(message, routes);
        return to && !isAt(message, to) ? [{ message, to }] : [];
      });
      if (moved.length > 0) {
        await this.rows.place(
          tenant,
          moved.map(({ message, to }) => ({ id: message.id, to })),
        );
      }
      return { last: ids.length === PAGE ? ids.at(-1) : undefined, moved };
    });
  }

  private async offer(
    tenant: TenantId,
    mode: Mode,
    stream: Stream,
    sender: Sender,
    moved: readonly Moved[],
  ): Promise<void> {
    const groups = new Map<LaneId, { readonly to: Target; readonly messages: HeldMessage[] }>();
    for (const { message, to } of moved) {
      if (!message.ready) continue;
      const group = groups.get(to.laneId) ?? { to, messages: [] };
      group.messages.push(message);
      groups.set(to.laneId, group);
    }
    await this.offers.offer(
      [...groups.values()].map(({ to: { sendingAccountId, laneId }, messages }) => ({
        tenantId: tenant,
        mode,
        sendingAccountId,
        stream,
        limits: { ...sender.limits, laneId },
        messages,
      })),
    );
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

/** Its own account's route while there is one, else its share of those that serve the region it asks for; of all, where none does any more. */
function routeOf(message: HeldMessage, routes: readonly Route[]): Route | undefined {
  const own = routes.find((route) => route.sendingAccountId === message.sendingAccountId);
  const serving = routes.filter((route) => regionServes(message.region, route.region));
  return own ?? chooseByWeight(serving.length > 0 ? serving : routes, message.id);
}

function isAt(message: HeldMessage, to: Target): boolean {
  return message.sendingAccountId === to.sendingAccountId && message.laneId === to.laneId;
}
