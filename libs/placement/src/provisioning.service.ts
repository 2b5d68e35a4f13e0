import { UnitOfWork } from '@libs/database';
import { IdentityService, PAUSED_ROUTE_REST_MS, RouteService, type HoldReason } from '@libs/fleet';
import { EngineClock, type SendingAccountId, type TenantId, type TenantMoveId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { PlacementRepository, type Placement } from './placement.repository';
import { PlacementService } from './placement.service';
import { Rounds } from './rounds';
import { TenantMoveRepository, type TenantMove } from './tenant-move.repository';

/** How long a domain that is not verified is left alone before SES is asked again. */
const IDENTITY_PAUSE_MS = 3_000;
/** The same for one that was verified and is no more: somebody must mend its DNS first. */
const LOST_PAUSE_MS = 10_000;
/** SES itself looks for DNS records for 72 h (aws-facts 1.4); a move that waits longer waits for nothing. */
const MOVE_PATIENCE_MS = 72 * 3_600_000;
const TENANTS_PER_ROUND = 20;

/** Makes AWS be as placements ask: configuration sets, identities, moves. Every method may be repeated. Worker only. */
@Injectable()
export class ProvisioningService {
  private readonly moveRounds = new Rounds<TenantMove>(TENANTS_PER_ROUND);
  private readonly routeRounds = new Rounds<TenantId>(TENANTS_PER_ROUND);

  constructor(
    private readonly uow: UnitOfWork,
    private readonly placements: PlacementRepository,
    private readonly moves: TenantMoveRepository,
    private readonly placement: PlacementService,
    private readonly routes: RouteService,
    private readonly identities: IdentityService,
    private readonly clock: EngineClock,
  ) {}

  /** Routes for every current placement, identities for every domain on every account of the tenant. @throws AWS's error */
  async provision(tenant: TenantId): Promise<void> {
    const current = await this.placement.currentFor([tenant]);
    for (const { sendingAccountId, stream, laneId } of current) {
      await this.routes.ensureRoute(tenant, sendingAccountId, stream, laneId);
    }
    for (const account of new Set(current.map(({ sendingAccountId }) => sendingAccountId))) {
      await this.identities.ensureIdentities(tenant, account);
    }
    await this.identities.refresh(tenant);
  }

  /** Makes a route anew that no placement asks for any more, for mail that still waits for it. @throws AWS's error */
  async restore({
    tenantId,
    sendingAccountId,
    stream,
    laneId,
  }: Pick<Placement, 'tenantId' | 'sendingAccountId' | 'stream' | 'laneId'>): Promise<void> {
    await this.routes.ensureRoute(tenantId, sendingAccountId, stream, laneId);
  }

  /** A route is not what our rows say (lost or paused at AWS): nothing more is sent on it before it was made or looked at again. */
  async reprovision(tenant: TenantId, account: SendingAccountId): Promise<void> {
    await this.uow.forSystem(async () => {
      await this.routes.invalidate(tenant, account);
      await this.placement.requestProvisioning(tenant);
    });
  }

  /**
   * SES refuses mail through a configuration set that should be fine: nothing more is claimed for it for a while, and what
   * is gone there is made anew. Answers until when it is held; undefined when it was held already.
   */
  async holdRoute(
    tenant: TenantId,
    account: SendingAccountId,
    configurationSet: string,
    why: HoldReason,
  ): Promise<Date | undefined> {
    return this.uow.forSystem(async () => {
      const until = await this.routes.hold(tenant, account, configurationSet, why);
      if (until !== undefined && why === 'DRIFT') await this.reprovision(tenant, account);
      return until;
    });
  }

  /** SES says that those domains are not verified there: their mail is held until they are. Answers whether it is news. */
  async holdDomains(tenant: TenantId, account: SendingAccountId, domains: readonly string[]): Promise<boolean> {
    return this.uow.forSystem(async () => {
      const isNews = await this.identities.doubt(tenant, account, domains);
      if (isNews) await this.placement.requestProvisioning(tenant);
      return isNews;
    });
  }

  /**
   * Takes a move as far as it goes now: the new route first, the switch only when every domain is verified there.
   * @throws AWS's error; the move stays PENDING and is tried again
   */
  async runMove(tenant: TenantId, id: TenantMoveId): Promise<'done' | 'waiting' | 'failed' | 'ended'> {
    const move = await this.uow.forSystem(() => this.moves.find(tenant, id));
    if (move?.state !== 'PENDING') return 'ended';
    if (!(await this.placement.targetUsable(move))) {
      return this.fail(move, 'The target account takes no tenants any more; see its state.');
    }
    for (const { stream, laneId } of await this.placement.lanesOn(tenant, move.sendingAccountId)) {
      await this.routes.ensureRoute(tenant, move.sendingAccountId, stream, laneId);
    }
    await this.identities.ensureIdentities(tenant, move.sendingAccountId);
    if (await this.identities.allVerified(tenant, move.sendingAccountId)) {
      return (await this.placement.completeMove(move)) ? 'done' : 'ended';
    }
    if (this.clock.nowMs() - move.createdAt.getTime() > MOVE_PATIENCE_MS) {
      return this.fail(move, 'The domains were not verified on the target account within 72 hours.');
    }
    await this.uow.forSystem(() => this.moves.note(tenant, id, 'Waiting until SES has verified the domains there.'));
    return 'waiting';
  }

  /**
   * The tick that closes every gap a lost job leaves: moves under way, domains that wait, routes that are not ready,
   * tenants without a place in test mode.
   * @throws AggregateError of what went wrong, after everything was tried
   */
  async advance(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.placement.placeMissingTests(TENANTS_PER_ROUND));
    const moves = await this.moveRounds.next((limit, after) =>
      this.uow.forSystem(() => this.moves.pending(limit, after)),
    );
    for (const move of moves) {
      await attempt(() => this.runMove(move.tenantId, move.id));
    }
    const pausedBefore = new Date(this.clock.nowMs() - PAUSED_ROUTE_REST_MS);
    const unprovisioned = await this.routeRounds.next((limit, after) =>
      this.uow.forSystem(() => this.placements.unprovisioned(limit, pausedBefore, after)),
    );
    for (const tenant of unprovisioned) {
      await attempt(() => this.provision(tenant));
    }
    for (const tenant of await this.identities.waiting(IDENTITY_PAUSE_MS, TENANTS_PER_ROUND)) {
      await attempt(() => this.identities.refresh(tenant));
    }
    for (const tenant of await this.identities.lost(LOST_PAUSE_MS, TENANTS_PER_ROUND)) {
      await attempt(() => this.identities.refresh(tenant));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'provisioning left work for the next round');
  }

  private async fail(move: TenantMove, why: string): Promise<'failed'> {
    await this.uow.forSystem(() => this.moves.end(move.tenantId, move.id, 'FAILED', why, this.clock.now()));
    return 'failed';
  }
}
