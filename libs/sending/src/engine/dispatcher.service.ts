import { CredentialCache, SesSender, type FleetRole, type OutgoingMail } from '@libs/aws';
import { RouteService } from '@libs/fleet';
import { EngineClock, Timers, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BatchFlight, notStarted, type OtherSlot, type Tower } from './batch-flight';
import { BatchSettler } from './batch-settler.service';
import { composeMail } from './claim.policy';
import type { IntendedAttempt } from './claim.repository';
import { ClaimService, type Claim } from './claim.service';
import type { Ticket } from './dispatch.jobs';
import { EngineGate } from './engine-gate';
import { EngineReactions } from './engine-reactions.service';
import { Failpoints } from './failpoints';
import { FlightRecorder } from './flight-recorder.service';
import { HeldBatches } from './held-batches';
import { OutcomeWriter } from './outcome-writer.service';
import { verdictOf, type AttemptEnd } from './outcome.policy';
import { RecoveryService } from './recovery.service';
import type { Slot } from './slot-plan.policy';
import { StartGrid } from './start-grid';
import { StartPace } from './start-pace.policy';

/** Real milliseconds a request may take in all; the ring's guard counts on it. */
const REQUEST_MS = 15_000;
/** While draining, what is due within this still goes out. */
const DRAIN_MS = 5_000;
const CLAIM_FAILED_MS = 2_000;
/** A batch waits this long for the sessions of its tenants; who has none by then waits for another batch. */
const SESSIONS_MS = 2_000;
/** Messages of all accounts start together once in so many real milliseconds: half a per cent of the second a rate is counted in. */
const GRID_MS = 5;
/** Starts between two looks at the clock: composing and signing takes time. */
const AT_ONCE = 64;
/**
 * With more messages than this due or about to be, no further ticket is claimed: they would miss their slots here, and another
 * worker may have time. Looked at again after a few milliseconds. Less than what is claimed and comes due within some 100 ms
 * leaves a saturated worker waiting (1,000: 4,500 messages/s; 5,000: 9,500/s); more only makes them later (20,000: 7,500/s).
 */
const MOST_DUE = 4_000;
const SOON_MS = 50;
const HOLD_BACK_MS = 5;
/** Urgent mail has its slot the moment it is granted: its way here and the claim are within this. */
const URGENT_PATIENCE_MS = 400;

interface Departure {
  readonly flight: BatchFlight;
  readonly slot: Slot<IntendedAttempt>;
  readonly role: FleetRole;
  readonly mail: OutgoingMail;
}

interface Answer {
  readonly flight: BatchFlight;
  readonly attempt: IntendedAttempt;
  readonly end: AttemptEnd;
}

/** Works tickets off: claim, then every message in its slot, then the books. */
@Injectable()
export class Dispatcher implements Tower {
  drainUntilMs = Number.POSITIVE_INFINITY;
  private readonly flights = new Map<BatchFlight, () => void>();
  private readonly paces = new Map<SendingAccountId, StartPace>();
  private readonly grid: StartGrid;
  /** What starts together, collected while a tick lasts. */
  private departures: Departure[] = [];
  private inTick = false;
  /** What was answered in this turn of the loop. */
  private answers: Answer[] = [];
  private answeredAt: Date | undefined;
  private claiming = 0;
  private readonly sends;
  private readonly moved;

  constructor(
    private readonly claims: ClaimService,
    private readonly ledger: Ledger,
    private readonly recorder: FlightRecorder,
    private readonly recovery: RecoveryService,
    private readonly outcomes: OutcomeWriter,
    private readonly settler: BatchSettler,
    private readonly reactions: EngineReactions,
    private readonly routes: RouteService,
    private readonly sender: SesSender,
    private readonly credentials: CredentialCache,
    private readonly held: HeldBatches,
    private readonly gate: EngineGate,
    private readonly clock: EngineClock,
    private readonly timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.sends = metrics.counter('send_outcomes_total', 'Ends of attempts to send, by kind', ['kind']);
    this.grid = new StartGrid(timers, GRID_MS, (works) => {
      this.tick(works);
    });
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
   * committed. Waits before the claim while this process has more due than it can send.
   */
  async take(ticket: Ticket): Promise<{ readonly landed: Promise<void> }> {
    const nothing = { landed: Promise.resolve() };
    while (ticket.urgent !== true && this.isBusy && this.ledger.nowMs() <= ticket.deadlineMs)
      await this.timers.sleep(HOLD_BACK_MS);
    // Too late, or going down: the sweeper gives the grant back.
    if (this.gate.isDraining || this.ledger.nowMs() > ticket.deadlineMs) return nothing;
    if (!this.held.add(ticket.batchId)) return nothing;
    let flying = false;
    this.claiming += ticket.messages.length;
    try {
      const [claim, roles] = await Promise.all([this.claim(ticket), this.rolesOf(ticket)]);
      this.failpoints.reach('after-claim');
      if (claim?.kind !== 'claimed') return nothing;
      flying = true;
      return { landed: this.fly(ticket, claim.attempts, roles) };
    } finally {
      this.claiming -= ticket.messages.length;
      if (!flying) this.held.delete(ticket.batchId);
    }
  }

  /** Stops waiting for later slots; batches under way end soon. */
  drain(): void {
    this.drainUntilMs = this.ledger.nowMs() + DRAIN_MS * this.clock.scale.speed;
    for (const flight of this.flights.keys()) flight.proceed();
  }

  nowMs(): number {
    return this.ledger.nowMs();
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
    return this.grid.after(Math.ceil((timeMs - this.ledger.nowMs()) / this.clock.scale.speed), work);
  }

  async reslot(ticket: Ticket, recipients: number): Promise<OtherSlot> {
    this.moved.inc(recipients);
    return this.ledger
      .reslot(ticket.sendingAccountId, ticket.batchId, BigInt(ticket.epoch), recipients)
      .catch(() => undefined);
  }

  send(flight: BatchFlight, slots: readonly Slot<IntendedAttempt>[]): void {
    for (const slot of slots) this.prepare(flight, slot);
    if (!this.inTick) this.depart();
  }

  record({ tenantId, id: messageId, attemptId }: IntendedAttempt, end: AttemptEnd): void {
    this.outcomes.write({ tenantId, messageId, attemptId, end, at: this.answeredAt ?? new Date(this.ledger.nowMs()) });
  }

  landed(flight: BatchFlight): void {
    this.flights.get(flight)?.();
  }

  private get isBusy(): boolean {
    const soon = this.ledger.nowMs() + SOON_MS * this.clock.scale.speed;
    let due = this.claiming;
    for (const flight of this.flights.keys()) due += flight.dueBy(soon);
    return due > MOST_DUE;
  }

  /** Undefined after a failure: whether the claim was committed is unknown then, so nothing is sent. */
  private async claim(ticket: Ticket): Promise<Claim | undefined> {
    this.recorder.claiming(ticket);
    this.failpoints.reach('before-claim');
    try {
      const claim = await this.claims.claim(ticket);
      if (claim.kind === 'refused') this.recorder.closed(ticket.batchId);
      return claim;
    } catch (error) {
      this.log.warn('a claim failed; what it left behind is given back', { batch: ticket.batchId, error });
      this.gate.closeFor(CLAIM_FAILED_MS);
      await this.recovery.afterFailedClaim(ticket);
      return undefined;
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
        const message = error instanceof Error ? error.message : 'no session';
        roles.set(tenant, { kind: 'credentials', code: 'NoSession', message });
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
    }
  }

  private tick(works: readonly (() => void)[]): void {
    this.inTick = true;
    try {
      for (const work of works) work();
    } finally {
      this.inTick = false;
      this.depart();
    }
  }

  /** Composes the mail of a message whose slot has come; one that cannot be sent ends here. */
  private prepare(flight: BatchFlight, slot: Slot<IntendedAttempt>): void {
    const { item: attempt } = slot;
    const role = flight.roles.get(attempt.tenantId) ?? notStarted('no-session', 'AWS gave no session in time.');
    if ('kind' in role) this.answered(flight, attempt, role);
    else if (attempt.content === null) {
      const message = 'The content was erased before the message could go.';
      this.answered(flight, attempt, { kind: 'invalid', code: 'BodyGone', message });
    } else {
      const { tenantId: tenant, id: message, attemptId } = attempt;
      const tags = { tenant, message, attempt: attemptId };
      const mail = composeMail(attempt.content, attempt.suppressed, attempt.configurationSet, tags);
      this.departures.push({ flight, slot, role, mail });
    }
  }

  /** Everything that was prepared goes, in its order: noted in the recorder with one write for many, then on the wire. */
  private depart(): void {
    while (this.departures.length > 0) {
      const group = this.departures.splice(0, AT_ONCE);
      // The last look at the clock, right before the requests: a process that was frozen must not send on waking.
      const now = this.ledger.nowMs();
      const ready: Departure[] = [];
      for (const departure of group) {
        const { flight, slot } = departure;
        if (now <= slot.deadlineMs) ready.push(departure);
        else flight.ended(slot.item, notStarted('late', 'The slot was over.'));
      }
      if (ready.length > 0 && this.noteStarts(ready)) {
        for (const departure of ready) {
          this.failpoints.reach('before-send');
          this.request(departure, true);
        }
      }
    }
  }

  private noteStarts(ready: readonly Departure[]): boolean {
    try {
      this.recorder.starting(ready.map(({ slot }) => slot.item.attemptId));
      return true;
    } catch (error) {
      this.log.error('the flight recorder cannot be written: nothing is sent without it', { error });
      const end = { kind: 'unsent', code: 'RecorderFailed', message: 'The recorder could not be written.' } as const;
      for (const { flight, slot } of ready) this.answered(flight, slot.item, end);
      return false;
    }
  }

  private request(departure: Departure, mayRepeat: boolean): void {
    const { flight, slot, role, mail } = departure;
    this.sender.post(role, mail, REQUEST_MS, (end) => {
      // Refused by its session, so certainly not sent: once more with a fresh one.
      if (end.kind === 'credentials' && mayRepeat && this.ledger.nowMs() <= slot.deadlineMs) {
        this.credentials.forget(role);
        this.request(departure, false);
      } else this.answered(flight, slot.item, end);
    });
  }

  /** Noted in the recorder with what else is answered in this turn of the loop; then it counts. */
  private answered(flight: BatchFlight, attempt: IntendedAttempt, end: AttemptEnd): void {
    this.failpoints.reach('after-answer');
    this.answers.push({ flight, attempt, end });
    if (this.answers.length > 1) return;
    this.timers.soon(() => {
      this.takeAnswers();
    });
  }

  private takeAnswers(): void {
    const answers = this.answers;
    this.answers = [];
    try {
      this.recorder.answered(answers);
    } catch (error) {
      this.log.error('answers of SES could not be recorded; PostgreSQL will have them', { error });
    }
    this.failpoints.reach('after-record');
    this.answeredAt = new Date(this.ledger.nowMs());
    let sent = 0;
    for (const { flight, attempt, end } of answers) {
      if (end.kind === 'sent') sent += 1;
      else this.sends.inc({ kind: end.kind });
      this.conclude(flight, attempt, end);
    }
    this.answeredAt = undefined;
    if (sent > 0) this.sends.inc({ kind: 'sent' }, sent);
  }

  private conclude(flight: BatchFlight, attempt: IntendedAttempt, end: AttemptEnd): void {
    const verdict = verdictOf(end);
    if (verdict.stopsBatch) flight.stop(notStarted(end.kind, 'SES refused a message before this one.'));
    const { reaction } = verdict;
    if (reaction.kind === 'none') flight.ended(attempt, end);
    else {
      // First the account is closed, then the message waits again: or it would be granted once more at once.
      void this.reactions.react(reaction, flight.ticket.sendingAccountId, attempt.tenantId).then(() => {
        flight.ended(attempt, end);
      });
    }
  }
}
