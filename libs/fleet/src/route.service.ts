import { SesControl, sendSessionPolicy, type FleetRole } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  notFound,
  STREAMS,
  type LaneId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository, type AwsAccount } from './aws-account.repository';
import { configurationSetName, sendSessionName } from './aws-names.policy';
import { DomainRepository } from './domain.repository';
import { manageRole, sendRole } from './fleet-role.policy';
import { LaneRepository } from './lane.repository';
import { RouteRepository, type Route } from './route.repository';
import { SendingAccountRepository, type SendingAccount } from './sending-account.repository';

// Long enough to spare a query per message, short enough that a new domain is in the session before it is READY.
const ROLE_TTL_MS = 2_000;
const MAX_ROLES = 5_000;

/** Tenants' ways out of sending accounts, and who to be on them. Worker only. */
@Injectable()
export class RouteService {
  private readonly roles = new Map<string, { readonly role: FleetRole; readonly until: number }>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly lanes: LaneRepository,
    private readonly domains: DomainRepository,
    private readonly routes: RouteRepository,
    private readonly ses: SesControl,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Makes the configuration set of the tenant's stream in that account, with the lane's pool and the account's topic. A
   * route that is ready on that lane costs no call.
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
    if (known?.readyAt && known.laneId === laneId) return known;
    if (sendingAccount.topicArn === null) {
      throw new DomainError({ code: 'ACCOUNT_NOT_READY', message: 'The sending account has not been set up yet.' });
    }
    const name = configurationSetName(tenant, stream);
    const control = this.ses.for(manageRole(owner, sendingAccount.region));
    await control.ensureConfigurationSet({ name, poolName, topicArn: sendingAccount.topicArn });
    const route: Route = {
      tenantId: tenant,
      sendingAccountId: account,
      stream,
      configurationSet: name,
      laneId,
      readyAt: this.clock.now(),
    };
    await this.uow.forSystem(() => this.routes.save(tenant, route));
    return route;
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
   * configuration sets and From domains. Kept for two seconds. @throws DomainError NOT_FOUND
   */
  async sendRole(account: SendingAccountId, tenant: TenantId): Promise<FleetRole> {
    const key = `${account}/${tenant}`;
    const now = this.clock.nowMs();
    const known = this.roles.get(key);
    if (known && known.until > now) return known.role;
    const role = await this.uow.forSystem(async () => {
      const { sendingAccount, owner } = await this.load(account);
      const domains = await this.domains.list(tenant);
      const policy = sendSessionPolicy({
        accountId: sendingAccount.accountId,
        region: sendingAccount.region,
        domains: domains.map(({ name }) => name),
        // Both, always: the session is then the same whatever streams the plan has.
        configurationSets: STREAMS.map((stream) => configurationSetName(tenant, stream)),
      });
      return sendRole(owner, sendingAccount.region, sendSessionName(tenant), policy);
    });
    if (this.roles.size >= MAX_ROLES) this.roles.clear();
    this.roles.set(key, { role, until: now + ROLE_TTL_MS });
    return role;
  }

  private async load(id: SendingAccountId): Promise<{ sendingAccount: SendingAccount; owner: AwsAccount }> {
    const [sendingAccount] = await this.accounts.findByIds([id]);
    const [owner] = sendingAccount ? await this.awsAccounts.findByIds([sendingAccount.awsAccountId]) : [];
    if (!sendingAccount || !owner) throw notFound('The sending account', ['sendingAccountId']);
    return { sendingAccount, owner };
  }
}
