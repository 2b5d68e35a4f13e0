import { CredentialCache, SesSender } from '@libs/aws';
import { RouteService } from '@libs/fleet';
import { EngineClock, Timers } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger, slotSlackMs } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BatchSettler } from './batch-settler.service';
import type { StoredContent } from '../stored-content';
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
import { SlotPlan, type Slot } from './slot-plan.policy';

/** Real milliseconds a request may take in all; the ring's guard counts on it. */
const REQUEST_MS = 15_000;
/** While draining, what is due within this still goes out. */
const DRAIN_MS = 5_000;
const CLAIM_FAILED_MS = 2_000;

const notStarted = (code: string, message: string): AttemptEnd => ({
  kind: 'unstarted',
  code: 'unstarted',
  message: `${message} (${code})`,
});

/** Works a ticket off: claim, then every message in its slot, then the books. */
@Injectable()
export class Dispatcher {
  private readonly sends;
  private readonly moved;
  private drainUntilMs = Number.POSITIVE_INFINITY;

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
    this.moved = metrics.counter('slots_moved_total', 'Messages that missed their slot and got another');
  }

  async dispatch(ticket: Ticket): Promise<void> {
    // Too late, or going down: the sweeper gives the grant back.
    if (this.gate.isDraining || this.ledger.nowMs() > ticket.deadlineMs) return;
    if (!this.held.add(ticket.batchId)) return;
    try {
      const claim = await this.claim(ticket);
      this.failpoints.reach('after-claim');
      if (claim?.kind === 'claimed') await this.fly(ticket, claim.attempts);
    } finally {
      this.held.delete(ticket.batchId);
    }
  }

  /** Stops waiting for later slots; batches under way end soon. */
  drain(): void {
    this.drainUntilMs = this.ledger.nowMs() + DRAIN_MS * this.clock.scale.speed;
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

  private async fly(ticket: Ticket, attempts: readonly IntendedAttempt[]): Promise<void> {
    const plan = new SlotPlan(attempts, ticket.slotStartMs, ticket.deadlineMs, ticket.rate);
    const flight = new Flight();
    const written: Promise<void>[] = [];
    const giveBack = (slots: readonly Slot<IntendedAttempt>[], why: AttemptEnd) => {
      for (const slot of slots) written.push(this.write(slot.item, why));
    };
    while (plan.next !== undefined) {
      await this.awaitSlot(plan.next, flight);
      const now = this.ledger.nowMs();
      const { dueMs, deadlineMs } = plan.next;
      if (flight.stopped !== undefined) giveBack(plan.takeAll(), flight.stopped);
      else if (dueMs > this.drainUntilMs) giveBack(plan.takeAll(), notStarted('drain', 'The worker was stopping.'));
      else if (now > deadlineMs) giveBack(plan.takeOverdue(now), notStarted('late', 'The slot was over.'));
      else if (now - dueMs > slotSlackMs(ticket.rate) * this.clock.scale.speed) {
        const late = plan.takeOverdue(now);
        if (!(await this.moveSlots(ticket, plan, late))) {
          giveBack(late, notStarted('no-slot', 'The ledger gave no other slot.'));
        }
      } else {
        const slot = plan.take();
        if (slot) written.push(this.send(ticket, slot, flight).then((end) => this.write(slot.item, end)));
      }
    }
    await Promise.all(written);
    this.failpoints.reach('before-settle');
    await this.settler.settle(ticket);
    this.failpoints.reach('after-settle');
    this.recorder.closed(ticket.batchId);
  }

  /** Until the slot begins, the batch is stopped, or the worker drains before it. */
  private async awaitSlot(slot: Slot<IntendedAttempt>, flight: Flight): Promise<void> {
    while (flight.stopped === undefined && slot.dueMs <= this.drainUntilMs) {
      const wait = slot.dueMs - this.ledger.nowMs();
      if (wait <= 0) return;
      const ms = Math.max(1, wait / this.clock.scale.speed);
      await this.timers.sleep(ms, flight.signal);
    }
  }

  /** Overdue messages sent at once would be a burst: they get slots of their own, paid with rate only. */
  private async moveSlots(
    ticket: Ticket,
    plan: SlotPlan<IntendedAttempt>,
    late: readonly Slot<IntendedAttempt>[],
  ): Promise<boolean> {
    const recipients = late.reduce((sum, slot) => sum + slot.recipients, 0);
    const offer = await this.ledger
      .reslot(ticket.sendingAccountId, ticket.batchId, BigInt(ticket.epoch), recipients)
      .catch(() => undefined);
    if (offer === undefined) return false;
    this.moved.inc(late.length);
    plan.add(
      late.map((slot) => slot.item),
      offer.slotStartMs,
      offer.deadlineMs,
    );
    return true;
  }

  private async send(ticket: Ticket, slot: Slot<IntendedAttempt>, flight: Flight): Promise<AttemptEnd> {
    const { item: attempt, deadlineMs } = slot;
    const first = await this.once(ticket, attempt, deadlineMs);
    let end = first;
    // Refused by its session, so certainly not sent: once more with a fresh one.
    if (first.kind === 'credentials' && (await this.forgetSession(ticket, attempt))) {
      end = await this.once(ticket, attempt, deadlineMs);
    }
    this.sends.inc({ kind: end.kind });
    const verdict = verdictOf(end);
    if (verdict.stopsBatch) flight.stop(notStarted(end.kind, 'SES refused a message before this one.'));
    await this.reactions.react(verdict.reaction, ticket.sendingAccountId, attempt.tenantId);
    return end;
  }

  private async forgetSession(ticket: Ticket, attempt: IntendedAttempt): Promise<boolean> {
    try {
      this.credentials.forget(await this.routes.sendRole(ticket.sendingAccountId, attempt.tenantId));
      return true;
    } catch {
      return false;
    }
  }

  private async once(ticket: Ticket, attempt: IntendedAttempt, deadlineMs: number): Promise<AttemptEnd> {
    let role;
    try {
      role = await this.routes.sendRole(ticket.sendingAccountId, attempt.tenantId);
      await this.credentials.get(role);
    } catch (error) {
      return { kind: 'credentials', code: 'NoSession', message: error instanceof Error ? error.message : 'no session' };
    }
    if (attempt.content === null) {
      return { kind: 'invalid', code: 'BodyGone', message: 'The content was erased before the message could go.' };
    }
    const mail = composeMail(
      JSON.parse(attempt.content) as StoredContent,
      attempt.suppressed,
      attempt.configurationSet,
      {
        tenant: attempt.tenantId,
        message: attempt.id,
        attempt: attempt.attemptId,
      },
    );
    // The last look at the clock, right before the request: a process that was frozen must not send on waking.
    if (this.ledger.nowMs() > deadlineMs) return notStarted('late', 'The slot was over.');
    try {
      this.recorder.starting(attempt.attemptId);
    } catch (error) {
      this.log.error('the flight recorder cannot be written: nothing is sent without it', { error });
      return { kind: 'unsent', code: 'RecorderFailed', message: 'The flight recorder could not be written.' };
    }
    this.failpoints.reach('before-send');
    const outcome = await this.sender.send(role, mail, REQUEST_MS).catch((error: unknown): AttemptEnd => {
      this.log.error('sending threw instead of answering', { attempt: attempt.attemptId, error });
      return { kind: 'in-doubt', code: 'Fault', message: 'The request failed in a way nobody foresaw.' };
    });
    this.failpoints.reach('after-answer');
    const detail = outcome.kind === 'sent' ? outcome.sesMessageId : outcome.code;
    try {
      this.recorder.answered(attempt.attemptId, outcome.kind, detail);
    } catch (error) {
      this.log.error('an answer of SES could not be recorded; PostgreSQL will have it', { error });
    }
    this.failpoints.reach('after-record');
    return outcome;
  }

  private write(attempt: IntendedAttempt, end: AttemptEnd): Promise<void> {
    const { tenantId, id: messageId, attemptId } = attempt;
    return this.outcomes.write({ tenantId, messageId, attemptId, end, at: new Date(this.ledger.nowMs()) });
  }
}

/** A batch on its way: set to a reason once nothing more of it may start. */
class Flight {
  stopped: AttemptEnd | undefined;
  private readonly abort = new AbortController();

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  stop(reason: AttemptEnd): void {
    this.stopped ??= reason;
    this.abort.abort();
  }
}
