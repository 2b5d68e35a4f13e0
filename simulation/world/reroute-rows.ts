import type { MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import type { BacklogRepository, Target } from '../../libs/sending/src/backlog.repository';
import type { RerouterRepository, StuckLine, StuckMessage } from '../../libs/sending/src/engine/rerouter.repository';
import type { SimulatedFleet } from './fleet';
import type { Tables } from './tables';

/** What RerouterRepository's statements mean: every account is a sibling of every other, for every tenant. */
export class RerouterRows implements Pick<RerouterRepository, keyof RerouterRepository> {
  constructor(
    private readonly tables: Tables,
    private readonly fleet: SimulatedFleet,
  ) {}

  siblings({ tenantId, stream, sendingAccountId }: StuckLine): ReturnType<RerouterRepository['siblings']> {
    const others = this.fleet.all().filter(({ id }) => id !== sendingAccountId);
    const [lane] = [...this.tables.ready(sendingAccountId, stream, tenantId).values()];
    if (!lane) return Promise.resolve([]);
    return Promise.resolve(others.map(({ id, region }) => ({ sendingAccountId: id, laneId: lane.laneId, region })));
  }

  page({ sendingAccountId, stream, tenantId }: StuckLine, after: MessageId, limit: number): Promise<MessageId[]> {
    const ids = [...this.tables.ready(sendingAccountId, stream, tenantId).keys()].filter((id) => id > after);
    return Promise.resolve(ids.sort().slice(0, limit));
  }

  hold({ sendingAccountId }: StuckLine, ids: readonly MessageId[]): Promise<StuckMessage[]> {
    const rows = ids.flatMap((id) => this.tables.messages.get(id) ?? []);
    const held = rows.filter((row) => row.state === 'READY' && row.accountId === sendingAccountId);
    return Promise.resolve(held.map(({ id, recipients }) => ({ id, recipients, region: null })));
  }

  note(): Promise<void> {
    return Promise.resolve();
  }

  decide(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** What of BacklogRepository re-routing needs; no tenant is placed elsewhere in these worlds. */
export class BacklogRows implements Pick<BacklogRepository, 'place'> {
  constructor(private readonly tables: Tables) {}

  place(_tenant: TenantId, moves: readonly { readonly id: MessageId; readonly to: Target }[]): Promise<void> {
    for (const { id, to } of moves) this.move(id, to.sendingAccountId);
    return Promise.resolve();
  }

  private move(id: MessageId, accountId: SendingAccountId): void {
    const row = this.tables.messages.get(id);
    if (row) this.tables.setMessage(row, { accountId, notBeforeMs: null });
  }
}
