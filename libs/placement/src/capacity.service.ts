import { SendingAccountService, type SendingAccount } from '@libs/fleet';
import {
  DomainError,
  notFound,
  type LaneId,
  type Mode,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import type { Plan } from '@libs/plans';
import { Injectable } from '@nestjs/common';
import { chooseSendingAccount, type Candidate, type Choice } from './account-choice.policy';
import { chooseLane } from './lane-choice.policy';
import { PlacementRepository } from './placement.repository';

/** One stream of a tenant and the lane it would take. */
export interface StreamLane {
  readonly stream: Stream;
  readonly laneId: LaneId;
}

/** What the fleet could carry: accounts with what is promised on them, and the lanes a plan would use. */
@Injectable()
export class CapacityService {
  constructor(
    private readonly placements: PlacementRepository,
    private readonly accounts: SendingAccountService,
  ) {}

  /** The best account for a tenant of that plan, or why there is none. Within a unit of work. */
  async choose(plan: Plan, mode: Mode): Promise<Choice> {
    const candidates = await this.weigh(await this.accounts.forTier(plan.tier, mode));
    return chooseSendingAccount({ tier: plan.tier, mode, demand: plan.recipientsPerDay }, candidates);
  }

  /** @throws DomainError NOT_FOUND (sendingAccountId) */
  async candidate(id: SendingAccountId): Promise<Candidate> {
    const [candidate] = await this.weigh([await this.accounts.get(id)]);
    if (!candidate) throw notFound('The sending account', ['sendingAccountId']);
    return candidate;
  }

  async candidates(ids: readonly SendingAccountId[]): Promise<Candidate[]> {
    return this.weigh(await this.accounts.findByIds([...new Set(ids)]));
  }

  async hasTestMode(): Promise<boolean> {
    return (await this.accounts.forTier('', 'TEST')).length > 0;
  }

  /** A lane for every stream of the plan. @throws DomainError ACCOUNT_NOT_READY (sendingAccountId) */
  async lanesFor(tenant: TenantId, plan: Plan, account: SendingAccountId): Promise<StreamLane[]> {
    const lanes = await this.accounts.lanes([account]);
    return plan.streams.map((stream) => {
      const lane = chooseLane(lanes, tenant, stream, plan.dedicatedIps);
      if (!lane) {
        const message = 'This sending account has not been set up yet: verify its AWS account first.';
        throw new DomainError({ code: 'ACCOUNT_NOT_READY', message, path: ['sendingAccountId'] });
      }
      return { stream, laneId: lane.id };
    });
  }

  private async weigh(accounts: readonly SendingAccount[]): Promise<Candidate[]> {
    const commitments = await this.placements.commitments(accounts.map(({ id }) => id));
    return accounts.map((account) => {
      const own = commitments.find(({ sendingAccountId }) => sendingAccountId === account.id);
      return {
        id: account.id,
        label: `${account.accountId} ${account.region}`,
        tier: account.tier,
        mode: account.mode,
        state: account.state,
        quota: account.max24HourSend,
        committed: own?.committed ?? 0n,
        tenants: own?.tenants ?? 0,
      };
    });
  }
}
