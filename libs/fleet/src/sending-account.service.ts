import { UnitOfWork } from '@libs/database';
import {
  notFound,
  type AwsAccountId,
  type LaneId,
  type Mode,
  type Page,
  type PageRequest,
  type SendingAccountId,
  checkCursors,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { LaneRepository, type Lane } from './lane.repository';
import { SendingAccountRepository, type SendingAccount, type SendingAccountFilter } from './sending-account.repository';

/** What the fleet can send through, as it was last observed. */
@Injectable()
export class SendingAccountService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly accounts: SendingAccountRepository,
    private readonly laneRows: LaneRepository,
  ) {}

  /** In order of creation; a cursor is the id of a sending account. */
  list(page: PageRequest, filter: SendingAccountFilter = {}): Promise<Page<SendingAccount>> {
    checkCursors(page);
    // PostgreSQL takes no text with a NUL, and no tier has such a name.
    if (filter.tier?.includes('\0')) return Promise.resolve({ rows: [], hasNext: false, hasPrevious: false });
    return this.uow.forShared(() => this.accounts.page(page, filter));
  }

  /** @throws DomainError NOT_FOUND */
  async get(id: SendingAccountId): Promise<SendingAccount> {
    const [account] = await this.findByIds([id]);
    if (!account) throw notFound('The sending account', ['sendingAccountId']);
    return account;
  }

  async findByIds(ids: readonly SendingAccountId[]): Promise<SendingAccount[]> {
    const known = ids.filter(isUuid);
    return known.length === 0 ? [] : this.uow.forShared(() => this.accounts.findByIds(known));
  }

  /** The regions of one AWS account. */
  ofAwsAccount(awsAccountId: AwsAccountId, page: PageRequest): Promise<Page<SendingAccount>> {
    return this.list(page, { awsAccountId });
  }

  /** Every sending account of an AWS account that was ever verified, whatever its state: what the engine pumps and observes. */
  active(): Promise<SendingAccount[]> {
    return this.accounts.active();
  }

  /** Those of ACTIVE AWS accounts that serve a tier. A TEST account serves every tier. */
  forTier(tier: string, mode: Mode): Promise<SendingAccount[]> {
    return this.uow.forShared(() => this.accounts.byTier(mode, mode === 'TEST' ? null : tier));
  }

  /** Lanes with their IPs, shared first. For operators and the engine. */
  lanes(ids: readonly SendingAccountId[]): Promise<Lane[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.uow.forSystem(() => this.laneRows.ofAccounts(ids));
  }

  findLanes(ids: readonly LaneId[]): Promise<Lane[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.uow.forSystem(() => this.laneRows.findByIds(ids));
  }

  /** A send was refused because the account is paused or suspended: known at once, not a minute later. */
  markFromSend(id: SendingAccountId, state: 'PAUSED' | 'SUSPENDED'): Promise<void> {
    return this.uow.forSystem(() => this.accounts.markFromSend(id, state));
  }

  /** SES could not render what it took in shared requests of those: each message goes by itself until then. */
  keepApart(ids: readonly SendingAccountId[], until: Date): Promise<void> {
    return this.uow.forSystem(() => this.accounts.keepApart(ids, until));
  }

  /**
   * Raises the ledger's epoch under the row's lock, so that no older ticket can be claimed; answers the new one.
   * @throws DomainError NOT_FOUND
   */
  async bumpEpoch(id: SendingAccountId): Promise<bigint> {
    const epoch = await this.uow.forSystem(() => this.accounts.raiseEpoch(id));
    if (epoch === undefined) throw notFound('The sending account', ['sendingAccountId']);
    return epoch;
  }
}
