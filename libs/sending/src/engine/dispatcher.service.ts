import { classifySession, CredentialCache, type FleetRole } from '@libs/aws';
import { RouteService } from '@libs/fleet';
import { EngineClock, Timers, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { Answers } from './answers.service';
import { accountRefused, BatchFlight, type OtherSlot, type Tower } from './batch-flight';
import { BatchSettler } from './batch-settler.service';
import { ClaimRoom } from './claim-room';
import type { IntendedAttempt } from './claim.repository';
import { ClaimService, type Claim } from './claim.service';
import { Departures } from './departures.service';
import type { Ticket } from './dispatch.jobs';
import { EngineGate } from './engine-gate';
import { Failpoints } from './failpoints';
import { FlightRecorder, RECORDER_REFUSES } from './flight-recorder.service';
import { HeldBatches } from './held-batches';
import type { AttemptEnd } from './outcome.policy';
import { RecoveryService } from './recovery.service';
import type { Slot } from './slot-plan.policy';
import { StartPace } from './start-pace.policy';

/** While draining, what is due within this still goes out. */
const DRAIN_MS = 5_000;
const CLAIM_FAILED_MS = 2_000;
/** A batch waits this long for the sessions of its tenants; who has none by then waits for another batch. */
const SESSIONS_MS = 2_000;
/**
 * No slot lies as far ahead as this, real milliseconds. One that does was given while the ledger's clock was ahead, and would be waited
 * for until that time has come, in a batch that nobody else may end.
 */
const FAR_AHEAD_MS = 30_000;
/** What becomes due within this counts as due: a claim takes as long. Real milliseconds. */
const SOON_MS = 50;
/** Urgent mail has its slot the moment it is granted: its way here and the claim are within this. */
const URGENT_PATIENCE_MS = 400;

/** Works tickets off: claim, then every message in its slot, then the books. */
@Injectable()
export class Dispatcher implements Tower {
  private readonly flights = new Map<BatchFlight, () => void>();
  private readonly paces = new Map<SendingAccountId, StartPace>();
  private readonly room = new ClaimRoom(() => this.dueSoon());
  private readonly moved;
  private drainUntilMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly claims: ClaimService,
    private readonly ledger: Ledger,
    private readonly recorder: FlightRecorder,
    private readonly recovery: RecoveryService,
    private readonly settler: BatchSettler,
    private readonly departures: Departures,
    private readonly answers: Answers,
    private readonly routes: RouteService,
    private readonly credentials: CredentialCache,
    private readonly held: HeldBatches,
    private readonly gate: EngineGate,
    private readonly clock: EngineClock,
    private readonly timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    departures.afterTick = () => {
      this.room.look();
    };
    this.moved = metrics.counter('slots_moved_total', 'Messages that missed their slot and got another');
  }

  /** Works a ticket off. Resolves when every outcome is committed. */
  async dispatch(ticket: Ticket): Promise<void> {
    await (
      await this.take(ticket)
    ).landed;
  }

  /**
   * Claims a ticket and lets its messages fly. Resolves when the claim has ended; `landed` when every outcome is
   * committed. Waits before the claim while this process has more due than it can send, and while its clock is wrong.
   */
  async take(ticket: Ticket): Promise<{ readonly landed: Promise<void> }> {
    if (!this.gate.isClockRight) {
      await this.giveBack(ticket);
      // So that this process takes no other.
      await this.gate.rightClock();
      return { landed: Promise.resolve() };
    }
    const messages = ticket.messages.length;
    if (ticket.urgent === true) this.room.force(messages);
    else await this.room.enter(messages);
    try {
      return await this.claimAndFly(ticket);
    } finally {
      this.room.leave(messages);
    }
  }

  /** Stops waiting for later slots; batches under way end soon. */
  drain(): void {
    this.drainUntilMs = this.ledger.nowMs() + DRAIN_MS * this.clock.scale.speed;
    for (const flight of this.flights.keys()) flight.proceed();
    this.room.open();
  }

  nowMs(): number {
    return this.ledger.nowMs();
  }

  get latestSlotMs(): number {
    return Math.min(this.drainUntilMs, this.ledger.nowMs() + FAR_AHEAD_MS * this.clock.scale.speed);
  }

  refusal({ sendingAccountId }: Ticket): AttemptEnd | undefined {
    return this.isRefused(sendingAccountId) ? accountRefused() : undefined;
  }

  pace({ sendingAccountId, urgent }: Ticket): StartPace {
    // What was lent its slots is so little that its lateness bursts nothing: it neither waits for others nor delays them.
    if (urgent === true) return new StartPace(this.clock.scale.speed, URGENT_PATIENCE_MS);
    let pace = this.paces.get(sendingAccountId);
    if (pace === undefined) {
      pace = new StartPace(this.clock.scale.speed);
      this.paces.set(sendingAccountId, pace);
    }
    return pace;
  }

  at(timeMs: number, work: () => void): () => void {
    return this.departures.after(Math.ceil((timeMs - this.ledger.nowMs()) / this.clock.scale.speed), work);
  }

  async reslot(ticket: Ticket, recipients: number): Promise<OtherSlot> {
    this.moved.inc(recipients);
    return this.ledger
      .reslot(ticket.sendingAccountId, ticket.batchId, BigInt(ticket.epoch), recipients)
      .catch(() => undefined);
  }

  send(flight: BatchFlight, slots: readonly Slot<IntendedAttempt>[]): void {
    this.departures.send(flight, slots);
  }

  record(attempt: IntendedAttempt, end: AttemptEnd): void {
    this.answers.record(attempt, end);
  }

  landed(flight: BatchFlight): void {
    this.flights.get(flight)?.();
  }

  private isRefused(account: SendingAccountId): boolean {
    return this.gate.isAccountClosed(account, this.ledger.nowMs());
  }

  private dueSoon(): number {
    const soon = this.ledger.nowMs() + SOON_MS * this.clock.scale.speed;
    let due = 0;
    for (const flight of this.flights.keys()) due += flight.dueBy(soon);
    return due;
  }

  private async claimAndFly(ticket: Ticket): Promise<{ readonly landed: Promise<void> }> {
    const nothing = { landed: Promise.resolve() };
    // Too late, going down, or refused by SES: the sweeper gives the grant back.
    if (this.gate.isDraining || this.ledger.nowMs() > ticket.deadlineMs) return nothing;
    if (this.isRefused(ticket.sendingAccountId)) return nothing;
    if (!this.held.add(ticket.batchId)) return nothing;
    let flying = false;
    try {
      const [claim, roles] = await Promise.all([this.claim(ticket), this.rolesOf(ticket)]);
      this.failpoints.reach('after-claim');
      if (claim?.kind !== 'claimed') return nothing;
      flying = true;
      return { landed: this.fly(ticket, claim.attempts, roles) };
    } finally {
      if (!flying) this.held.delete(ticket.batchId);
    }
  }

  /** Undefined after a failure: whether the claim was committed is unknown then, so nothing is sent. */
  private async claim(ticket: Ticket): Promise<Claim | undefined> {
    if (!this.noteClaim(ticket)) {
      await this.giveBack(ticket);
      return undefined;
    }
    this.failpoints.reach('before-claim');
    try {
      const claim = await this.claims.claim(ticket);
      if (claim.kind === 'refused') this.recorder.closed(ticket.batchId);
      return claim;
    } catch (error) {
      this.log.warn('a claim failed; what it left behind is given back', { batch: ticket.batchId, error });
      this.gate.closeFor(CLAIM_FAILED_MS);
      await this.recovery.afterFailedClaim(ticket);
      await this.giveBack(ticket);
      return undefined;
    }
  }

  /** At once: its messages shall not wait until its slots are over, nor shall its share of the day. */
  private async giveBack(ticket: Ticket): Promise<void> {
    try {
      await this.settler.giveBack(ticket);
    } catch (error) {
      this.log.warn('a grant could not be given back yet; the sweeper will', { batch: ticket.batchId, error });
    }
  }

  private noteClaim(ticket: Ticket): boolean {
    try {
      this.recorder.claiming(ticket);
      return true;
    } catch (error) {
      this.log.error(RECORDER_REFUSES, { error });
      this.gate.closeFor(CLAIM_FAILED_MS);
      return false;
    }
  }

  /** Who to be for each tenant of the ticket, with a session at hand; an end instead for who has none. Once per ticket. */
  private async rolesOf(ticket: Ticket): Promise<Map<TenantId, FleetRole | AttemptEnd>> {
    const roles = new Map<TenantId, FleetRole | AttemptEnd>();
    const asked = [...new Set(ticket.messages.map(({ tenantId }) => tenantId))].map(async (tenant) => {
      try {
        const role = await this.routes.sendRole(ticket.sendingAccountId, tenant);
        await this.credentials.get(role);
        roles.set(tenant, role);
      } catch (error) {
        roles.set(tenant, classifySession(error));
      }
    });
    const all = Promise.all(asked);
    let stopWaiting = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      stopWaiting = this.timers.after(SESSIONS_MS, resolve);
    });
    await Promise.race([all, late]);
    stopWaiting();
    return roles;
  }

  private async fly(
    ticket: Ticket,
    attempts: readonly IntendedAttempt[],
    roles: ReadonlyMap<TenantId, FleetRole | AttemptEnd>,
  ): Promise<void> {
    const flight = new BatchFlight(ticket, attempts, roles, this);
    try {
      await new Promise<void>((landed) => {
        this.flights.set(flight, landed);
        flight.proceed();
      });
      this.flights.delete(flight);
      this.failpoints.reach('before-settle');
      await this.settler.settle(ticket, flight.usage);
      this.failpoints.reach('after-settle');
      this.recorder.closed(ticket.batchId);
    } catch (error) {
      this.log.error('a batch was not closed; the sweeper will', { batch: ticket.batchId, error });
    } finally {
      this.flights.delete(flight);
      this.held.delete(ticket.batchId);
      this.room.look();
    }
  }
}
