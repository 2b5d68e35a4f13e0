import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainService } from '@libs/fleet';
import {
  DomainError,
  EngineClock,
  MODES,
  newId,
  toPublicId,
  type Mode,
  type Page,
  type PageRequest,
  type PlacementId,
  type SendingAccountId,
  type Stream,
  type TenantId,
  type TenantMoveId,
  checkCursors,
} from '@libs/kernel';
import { PlanService, type Plan } from '@libs/plans';
import { Outbox } from '@libs/queueing';
import { TenantService } from '@libs/tenancy';
import { Injectable } from '@nestjs/common';
import { fitsTier, isUsable, type Candidate, type Choice } from './account-choice.policy';
import { CapacityService, type StreamLane } from './capacity.service';
import { previewMove, type MovePreview } from './move-preview.policy';
import { moveTenant, placementChanged, provisionTenant } from './placement.jobs';
import { PlacementRepository, type Placement, type PlacementFilter } from './placement.repository';
import { TenantMoveRepository, type TenantMove } from './tenant-move.repository';

/** A tenant's whole share. */
const WHOLE = 1_000;

export interface MoveInput {
  readonly tenantId: TenantId;
  readonly sendingAccountId: SendingAccountId;
}

/** Decides where tenants send from and remembers why. Changes nothing on AWS: see ProvisioningService. */
@Injectable()
export class PlacementService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly placements: PlacementRepository,
    private readonly moves: TenantMoveRepository,
    private readonly tenants: TenantService,
    private readonly plans: PlanService,
    private readonly capacity: CapacityService,
    private readonly domains: DomainService,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Gives a new tenant its placements: every stream of its plan, LIVE by tier and headroom, and TEST where an account for
   * test mode has joined. Call it in the unit that makes the tenant; a job then sets things up on AWS.
   * @throws DomainError NO_CAPACITY (planId) when no account of the tier can take it
   */
  placeTenant(tenant: TenantId, by: Author): Promise<Placement[]> {
    return this.uow.forSystem(async () => {
      await this.placements.lockDecisions();
      const plan = await this.planOf(tenant);
      const placed: Placement[] = [];
      for (const mode of MODES) {
        const choice = await this.capacity.choose(plan, mode);
        if (choice.chosen) placed.push(...(await this.open(tenant, plan, choice.chosen, choice.reason, by)));
        else if (mode === 'LIVE') throw noCapacity(choice);
      }
      await this.announce(tenant, 'tenant.place', by, placed);
      await this.outbox.add(provisionTenant, { tenantId: tenant });
      return placed;
    });
  }

  /**
   * Puts a tenant on one account of the operator's choice at once, whatever its tier: for the operators' own test mail.
   * @throws DomainError NOT_FOUND, ACCOUNT_NOT_READY (sendingAccountId)
   */
  placeTenantOn({ tenantId, sendingAccountId }: MoveInput, by: Author): Promise<Placement[]> {
    return this.uow.forSystem(async () => {
      await this.placements.lockDecisions();
      const plan = await this.planOf(tenantId);
      const target = await this.capacity.candidate(sendingAccountId);
      const placed = await this.switchTo(tenantId, plan, target, `placed by hand on ${target.label}`, by);
      await this.announce(tenantId, 'tenant.place', by, placed);
      await this.outbox.add(provisionTenant, { tenantId });
      return placed;
    });
  }

  /** Sets the tenant's routes and domains up on AWS, for instance after domains were added. Part of the current unit. */
  async requestProvisioning(tenant: TenantId): Promise<void> {
    await this.outbox.add(provisionTenant, { tenantId: tenant });
  }

  /** The placement that carries a stream now; the heaviest when there are several. */
  async current(tenant: TenantId, mode: Mode, stream: Stream): Promise<Placement | undefined> {
    const rows = await this.uow.forTenant(tenant, () => this.placements.current([tenant]));
    return rows.find((placement) => placement.mode === mode && placement.stream === stream);
  }

  /** Current placements of those tenants. For operators and the engine. */
  async currentFor(tenants: readonly TenantId[]): Promise<Placement[]> {
    return tenants.length === 0 ? [] : this.uow.forSystem(() => this.placements.current(tenants));
  }

  /** Placements in order of creation, ended ones included unless asked otherwise; a cursor is the id of a placement. */
  list(page: PageRequest, filter: PlacementFilter = {}): Promise<Page<Placement>> {
    checkCursors(page);
    return this.uow.forSystem(() => this.placements.page(page, filter));
  }

  /** Where a tenant sent from, and why, in order. */
  history(tenant: TenantId, page: PageRequest): Promise<Page<Placement>> {
    return this.list(page, { tenantId: tenant });
  }

  /** The tenant's moves, the latest first. */
  movesOf(tenant: TenantId, limit = 20): Promise<TenantMove[]> {
    return this.uow.forSystem(() => this.moves.latest(tenant, limit));
  }

  /** What a move would do, and what speaks against it. @throws DomainError NOT_FOUND (tenantId, sendingAccountId) */
  previewMove({ tenantId, sendingAccountId }: MoveInput): Promise<MovePreview> {
    return this.uow.forSystem(async () => {
      const plan = await this.planOf(tenantId);
      const to = await this.capacity.candidate(sendingAccountId);
      const current = (await this.placements.current([tenantId])).filter(({ mode }) => mode === to.mode);
      const from = await this.capacity.candidates(current.map((placement) => placement.sendingAccountId));
      const verified = (await this.domains.identities(tenantId)).filter(
        (identity) => identity.sendingAccountId === to.id && identity.state === 'VERIFIED',
      );
      const pending = await this.moves.pendingOf(tenantId);
      return previewMove({
        tier: plan.tier,
        demand: plan.recipientsPerDay,
        from,
        to,
        domainsToVerify: (await this.domains.list(tenantId))
          .filter(({ id }) => !verified.some(({ domainId }) => domainId === id))
          .map(({ name }) => name),
        moving: pending.some(({ mode }) => mode === to.mode),
      });
    });
  }

  /**
   * Starts a move of the tenant, in the mode of the target account. The new route is made and its domains are verified
   * first; only then placements switch, history is kept and what waits goes along. Follow it with `movesOf`.
   * @throws DomainError NOT_FOUND, INVALID_INPUT (tier), NO_CAPACITY (state), CONFLICT (there already, or moving)
   */
  moveTenant(input: MoveInput, by: Author): Promise<TenantMove> {
    return this.uow.forSystem(async () => {
      await this.placements.lockDecisions();
      const { problems } = await this.previewMove(input);
      DomainError.throwIfAny(problems);
      const target = await this.capacity.candidate(input.sendingAccountId);
      return this.startMove(input.tenantId, target, `moved by hand to ${target.label}`, by);
    });
  }

  /**
   * Makes placements follow a changed plan. An account that still fits is kept; otherwise the tenant moves to the best
   * one of the new tier, and a move under way to a wrong one is given up. Call it in the unit that changes the plan.
   * @throws DomainError NO_CAPACITY (planId)
   */
  replaceForPlan(tenant: TenantId, by: Author): Promise<TenantMove[]> {
    return this.uow.forSystem(async () => {
      await this.placements.lockDecisions();
      const plan = await this.planOf(tenant);
      for (const { id } of await this.moves.pendingOf(tenant)) {
        await this.moves.end(tenant, id, 'FAILED', 'The plan changed before the move was done.', this.clock.now());
      }
      const started: TenantMove[] = [];
      for (const mode of MODES) {
        const current = (await this.placements.current([tenant])).filter((placement) => placement.mode === mode);
        const target = await this.targetForPlan(plan, mode, current);
        if (target && !(await this.isAsWanted(tenant, plan, target.chosen, current))) {
          started.push(await this.startMove(tenant, target.chosen, target.reason, by));
        }
      }
      return started;
    });
  }

  /**
   * Ends a prepared move by switching placements, in one transaction with its news for sending. False when the move had
   * ended already. For the engine.
   */
  completeMove(move: TenantMove): Promise<boolean> {
    return this.uow.forSystem(async () => {
      await this.placements.lockDecisions();
      const now = this.clock.now();
      if (!(await this.moves.end(move.tenantId, move.id, 'DONE', null, now))) return false;
      const plan = await this.planOf(move.tenantId);
      const target = await this.capacity.candidate(move.sendingAccountId);
      const by = { actor: move.decidedBy };
      const placed = await this.switchTo(move.tenantId, plan, target, move.reason, by);
      await this.announce(move.tenantId, 'tenant.move', by, placed);
      return true;
    });
  }

  /** Whether mail of the move's mode may still be placed on its target. */
  targetUsable(move: TenantMove): Promise<boolean> {
    return this.uow.forSystem(async () => isUsable(await this.capacity.candidate(move.sendingAccountId), move.mode));
  }

  /** The lanes a tenant's streams would take on that account, by its plan. @throws DomainError ACCOUNT_NOT_READY */
  lanesOn(tenant: TenantId, account: SendingAccountId): Promise<StreamLane[]> {
    return this.uow.forSystem(async () => this.capacity.lanesFor(tenant, await this.planOf(tenant), account));
  }

  /** Places tenants in test mode who came before there was an account for it. Answers how many. For the engine. */
  placeMissingTests(limit: number): Promise<number> {
    return this.uow.forSystem(async () => {
      if (!(await this.capacity.hasTestMode())) return 0;
      await this.placements.lockDecisions();
      const missing = await this.placements.withoutTestPlacement(limit);
      for (const tenant of missing) {
        const plan = await this.planOf(tenant);
        const choice = await this.capacity.choose(plan, 'TEST');
        if (!choice.chosen) return 0;
        const by = { actor: 'worker' };
        const placed = await this.open(tenant, plan, choice.chosen, choice.reason, by);
        await this.announce(tenant, 'tenant.place', by, placed);
        await this.outbox.add(provisionTenant, { tenantId: tenant });
      }
      return missing.length;
    });
  }

  private async planOf(tenant: TenantId): Promise<Plan> {
    const { planId } = await this.tenants.get(tenant);
    return this.plans.get(planId);
  }

  /** Where the tenant belongs by its plan: where it is, if that fits; undefined where test mode has no account. */
  private async targetForPlan(plan: Plan, mode: Mode, current: readonly Placement[]) {
    const here = await this.capacity.candidates(current.map((placement) => placement.sendingAccountId));
    const [kept] = here.filter((candidate) => fitsTier(candidate, plan.tier) && isUsable(candidate, mode));
    if (kept) return { chosen: kept, reason: `plan ${plan.code}: ${kept.label} still fits` };
    const choice = await this.capacity.choose(plan, mode);
    if (choice.chosen) return { chosen: choice.chosen, reason: `plan ${plan.code}: ${choice.reason}` };
    if (mode === 'LIVE') throw noCapacity(choice);
    return undefined;
  }

  private async isAsWanted(tenant: TenantId, plan: Plan, target: Candidate, current: readonly Placement[]) {
    const wanted = await this.capacity.lanesFor(tenant, plan, target.id);
    return (
      wanted.length === current.length && wanted.every((wish) => current.some((row) => carries(row, target, wish)))
    );
  }

  private async open(tenant: TenantId, plan: Plan, target: Candidate, reason: string, by: Author) {
    const wanted = await this.capacity.lanesFor(tenant, plan, target.id);
    const opened = wanted.map((wish) => this.placement(tenant, target, wish, reason, by));
    await this.placements.insert(tenant, opened);
    return opened;
  }

  /** Ends what the tenant has in the target's mode and opens what it should have; rows that stay right stay. */
  private async switchTo(tenant: TenantId, plan: Plan, target: Candidate, reason: string, by: Author) {
    const wanted = await this.capacity.lanesFor(tenant, plan, target.id);
    const current = (await this.placements.current([tenant])).filter(({ mode }) => mode === target.mode);
    const kept = current.filter((row) => wanted.some((wish) => carries(row, target, wish)));
    const ended = current.filter((row) => !kept.includes(row));
    const opened = wanted
      .filter((wish) => !kept.some((row) => carries(row, target, wish)))
      .map((wish) => this.placement(tenant, target, wish, reason, by));
    await this.placements.close(
      tenant,
      ended.map(({ id }) => id),
      this.clock.now(),
    );
    await this.placements.insert(tenant, opened);
    await this.outbox.add(placementChanged, { tenantId: tenant });
    return [...kept, ...opened];
  }

  private placement(tenant: TenantId, target: Candidate, wish: StreamLane, reason: string, by: Author): Placement {
    return {
      ...wish,
      id: newId<PlacementId>(),
      tenantId: tenant,
      mode: target.mode,
      sendingAccountId: target.id,
      weight: WHOLE,
      reason,
      decidedBy: by.actor,
      validFrom: this.clock.now(),
      validTo: null,
    };
  }

  private async startMove(tenant: TenantId, target: Candidate, reason: string, by: Author): Promise<TenantMove> {
    const move: TenantMove = {
      id: newId<TenantMoveId>(),
      tenantId: tenant,
      mode: target.mode,
      sendingAccountId: target.id,
      reason,
      decidedBy: by.actor,
      state: 'PENDING',
      detail: null,
      createdAt: this.clock.now(),
      endedAt: null,
    };
    await this.moves.insert(tenant, move);
    await this.outbox.add(moveTenant, { tenantId: tenant, moveId: move.id });
    const detail = { to: toPublicId('sendingAccount', target.id), reason };
    const subject = toPublicId('tenant', tenant);
    await this.audit.record({ ...by, action: 'tenant.start-move', subject, tenant, detail });
    return move;
  }

  private async announce(tenant: TenantId, action: string, by: Author, placed: readonly Placement[]): Promise<void> {
    const detail = {
      placements: placed.map(({ mode, stream, sendingAccountId, reason }) => ({
        mode,
        stream,
        sendingAccount: toPublicId('sendingAccount', sendingAccountId),
        reason,
      })),
    };
    await this.audit.record({ ...by, action, subject: toPublicId('tenant', tenant), tenant, detail });
  }
}

function carries(row: Placement, target: Candidate, wish: StreamLane): boolean {
  return (
    row.sendingAccountId === target.id &&
    row.stream === wish.stream &&
    row.laneId === wish.laneId &&
    row.weight === WHOLE
  );
}

function noCapacity(choice: Choice): DomainError {
  return new DomainError({ code: 'NO_CAPACITY', message: `${choice.reason}.`, path: ['planId'] });
}
