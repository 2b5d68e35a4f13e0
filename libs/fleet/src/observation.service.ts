import { SesControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { EngineClock, notFound, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository } from './aws-account.repository';
import { manageRole } from './fleet-role.policy';
import { LaneDiscovery } from './lane-discovery.service';
import { stateAfterObservation, wasRefusedMeanwhile } from './sending-account-state.policy';
import { SendingAccountRepository, type SendingAccount } from './sending-account.repository';

/** Looks at sending accounts through GetAccount: state is observed every minute, never assumed. Worker only. */
@Injectable()
export class ObservationService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly discovery: LaneDiscovery,
    private readonly ses: SesControl,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Reads quota, rate, use and state of one sending account, saves and answers them, with what was known until then.
   * @throws DomainError NOT_FOUND; AWS's error when GetAccount fails: the old figures then stay
   */
  async observe(id: SendingAccountId): Promise<{ readonly before: SendingAccount; readonly seen: SendingAccount }> {
    const { account, owner } = await this.uow.forSystem(async () => {
      const [found] = await this.accounts.findByIds([id]);
      const [awsAccount] = found ? await this.awsAccounts.findByIds([found.awsAccountId]) : [];
      if (!found || !awsAccount) throw notFound('The sending account', ['sendingAccountId']);
      return { account: found, owner: awsAccount };
    });
    const snapshot = await this.ses.for(manageRole(owner, account.region)).getAccount();
    return this.uow.forSystem(async () => {
      await this.accounts.lock(id);
      const [before] = await this.accounts.findByIds([id]);
      if (!before) throw notFound('The sending account', ['sendingAccountId']);
      const state = wasRefusedMeanwhile(account.state, before.state)
        ? before.state
        : stateAfterObservation(before.state, snapshot, false);
      await this.accounts.save(owner, account.region, snapshot, state, this.clock.now());
      const [seen] = await this.accounts.findByIds([id]);
      if (!seen) throw notFound('The sending account', ['sendingAccountId']);
      return { before, seen };
    });
  }

  /**
   * The same look at every account of the fleet, for a tick of every minute.
   * @throws AggregateError of what went wrong, after every account was looked at
   */
  async discoverAllIps(): Promise<void> {
    const accounts = await this.accounts.active();
    const looks = await Promise.allSettled(accounts.map(({ id }) => this.discoverIps(id)));
    const failures = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason as unknown] : []));
    if (failures.length > 0)
      throw new AggregateError(failures, 'not every account could be asked for its dedicated IPs');
  }

  /** Looks for dedicated IPs that were leased or released since: a stray IP would carry everybody's mail. */
  async discoverIps(id: SendingAccountId): Promise<void> {
    const role = await this.uow.forSystem(async () => {
      const [account] = await this.accounts.findByIds([id]);
      const [owner] = account ? await this.awsAccounts.findByIds([account.awsAccountId]) : [];
      if (!account || !owner) throw notFound('The sending account', ['sendingAccountId']);
      return manageRole(owner, account.region);
    });
    await this.discovery.refresh(id, this.ses.for(role));
  }
}
