import { SesControl, type FleetRole } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  notFound,
  type LaneId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository, type AwsAccount } from './aws-account.repository';
import { configurationSetName } from './aws-names.policy';
import { manageRole } from './fleet-role.policy';
import { LaneRepository } from './lane.repository';
import { holdAfterRefusal, holdAfterRepair, type HoldReason, type RouteHold } from './route-hold.policy';
import { RouteRepository, type Route } from './route.repository';
import { SendRoles } from './send-roles.service';
import { SendingAccountRepository, type SendingAccount } from './sending-account.repository';

/** How long a configuration set that is paused at SES is left alone before SES is asked again, engine milliseconds. */
export const PAUSED_ROUTE_REST_MS = 30_000;

const NEVER_HELD: RouteHold = { heldUntil: null, heldFor: null, refusals: 0 };

/** Tenants' ways out of sending accounts, and who to be on them. Worker only. */
@Injectable()
export class RouteService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly lanes: LaneRepository,
    private readonly routes: RouteRepository,
    private readonly roles: SendRoles,
    private readonly ses: SesControl,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Makes the configuration set of the tenant's stream in that account, with the lane's pool and the account's topic. A
   * route that is ready on that lane costs no call; one that is paused is looked at once in PAUSED_ROUTE_REST_MS.
   * @throws DomainError NOT_FOUND or ACCOUNT_NOT_READY (no topic yet); AWS’s error
   */
  async ensureRoute(tenant: TenantId, account: SendingAccountId, stream: Stream, laneId: LaneId): Promise<Route> {
    const { sendingAccount, owner, poolName, known } = await this.uow.forSystem(async () => {
      const found = await this.load(account);
      const [lane] = await this.lanes.findByIds([laneId]);
      if (lane?.sendingAccountId !== account) throw notFound('The lane', ['laneId']);
      const own = await this.routes.list(tenant);
      return {
        ...found,
        poolName: lane.poolName,
        known: own.find((route) => route.sendingAccountId === account && route.stream === stream),
      };
    });
    const nowMs = this.clock.nowMs();
    const stillPaused = known?.pausedAt && known.pausedAt.getTime() > nowMs - PAUSED_ROUTE_REST_MS;
    if (known?.laneId === laneId && (known.readyAt ?? stillPaused)) return known;
    if (sendingAccount.topicArn === null) {
      throw new DomainError({ code: 'ACCOUNT_NOT_READY', message: 'The sending account has not been set up yet.' });
    }
    const name = configurationSetName(tenant, stream);
    const control = this.ses.for(manageRole(owner, sendingAccount.region));
    const maySend = await control.ensureConfigurationSet({ name, poolName, topicArn: sendingAccount.topicArn });
    const now = new Date(nowMs);
    const route: Route = {
      tenantId: tenant,
      sendingAccountId: account,
      stream,
      configurationSet: name,
      laneId,
      readyAt: maySend ? now : null,
      pausedAt: maySend ? null : now,
      ...NEVER_HELD,
    };
    return this.uow.forSystem(async () => {
      // A hold may have begun while SES was asked.
      const held = await this.routes.lock(tenant, account, name);
      const saved = held ? { ...route, ...holdAfterRepair(held, nowMs) } : route;
      await this.routes.save(tenant, saved);
      return saved;
    });
  }

  /**
   * SES refused mail through that configuration set although our rows say that it may go: nothing more is claimed for it
   * for a while. Answers until when; undefined when it is known. Part of the current unit or of one of its own.
   */
  hold(
    tenant: TenantId,
    account: SendingAccountId,
    configurationSet: string,
    why: HoldReason,
  ): Promise<Date | undefined> {
    return this.uow.forSystem(async () => {
      const known = await this.routes.lock(tenant, account, configurationSet);
      const hold = known && holdAfterRefusal(known, why, this.clock.nowMs());
      if (!hold) return undefined;
      await this.routes.save(tenant, { ...known, ...hold });
      return hold.heldUntil ?? undefined;
    });
  }

  /** AWS no longer has what a route needs (outcome `drift`): it is not ready until it has been provisioned again. */
  invalidate(tenant: TenantId, account: SendingAccountId): Promise<void> {
    return this.uow.forSystem(() => this.routes.invalidate(tenant, account));
  }

  list(tenant: TenantId): Promise<Route[]> {
    return this.uow.forSystem(() => this.routes.list(tenant));
  }

  /**
   * Who to be to send this tenant's mail through that account: the send role, narrowed to the tenant's identities,
   * configuration sets and From domains, at most two seconds old. @throws DomainError NOT_FOUND
   */
  sendRole(account: SendingAccountId, tenant: TenantId): Promise<FleetRole> {
    return this.roles.of(account, tenant);
  }

  private async load(id: SendingAccountId): Promise<{ sendingAccount: SendingAccount; owner: AwsAccount }> {
    const [sendingAccount] = await this.accounts.findByIds([id]);
    const [owner] = sendingAccount ? await this.awsAccounts.findByIds([sendingAccount.awsAccountId]) : [];
    if (!sendingAccount || !owner) throw notFound('The sending account', ['sendingAccountId']);
    return { sendingAccount, owner };
  }
}
