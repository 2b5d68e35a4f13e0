import type { FleetRole } from '@libs/aws';
import type { TenantId } from '@libs/kernel';
import type { Ledger } from '@libs/quota';
import type { IntendedAttempt } from './claim.repository';
import type { Ticket } from './dispatch.jobs';
import { verdictOf, type AttemptEnd } from './outcome.policy';
import { UsageCount } from './refund.policy';
import { SlotPlan, type Slot } from './slot-plan.policy';
import type { StartPace } from './start-pace.policy';

export const notStarted = (code: string, message: string): AttemptEnd => ({
  kind: 'unstarted',
  code: 'unstarted',
  message: `${message} (${code})`,
});

export const accountRefused = (): AttemptEnd => notStarted('account', 'SES refuses all mail of the account.');

/** Undefined when the ledger has no other slot. */
export type OtherSlot = Awaited<ReturnType<Ledger['reslot']>>;

/** What a flight needs of its surroundings. */
export interface Tower {
  /** Engine milliseconds of the ledger. */
  nowMs(): number;
  /** Why nothing of the ticket's account may start now. */
  refusal(ticket: Ticket): AttemptEnd | undefined;
  /** Slots that begin later than this are given back: the process is going down, or its clock has been set back. */
  readonly latestSlotMs: number;
  /** How late this process starts the messages of the ticket's account. */
  pace(ticket: Ticket): StartPace;
  /** Calls `work` once it is that time; what this answers cancels it. */
  at(timeMs: number, work: () => void): () => void;
  /** Sends them, in order, now. Each ends by `flight.ended`. */
  send(flight: BatchFlight, slots: readonly Slot<IntendedAttempt>[]): void;
  /** Notes how an attempt ended, to be written soon. */
  record(attempt: IntendedAttempt, end: AttemptEnd): void;
  /** Asks the ledger for another slot. Never rejects. */
  reslot(ticket: Ticket, recipients: number): Promise<OtherSlot>;
  /** Every attempt has ended. */
  landed(flight: BatchFlight): void;
}

/**
 * A claimed batch on its way: which message may start when, what of it is under way, what became of it. Driven by
 * callbacks: with thousands of messages a second, a timer and a promise for each cost more than what they wait for.
 */
export class BatchFlight {
  readonly usage = new UsageCount();
  private readonly plan = new SlotPlan<IntendedAttempt>();
  private readonly pace: StartPace;
  private stopped: AttemptEnd | undefined;
  private cancel: (() => void) | undefined;
  private underWay = 0;
  private over = false;

  constructor(
    readonly ticket: Ticket,
    attempts: readonly IntendedAttempt[],
    /** Who to be for each tenant of the batch, or why nothing of it can be sent. */
    readonly roles: ReadonlyMap<TenantId, FleetRole | AttemptEnd>,
    private readonly tower: Tower,
  ) {
    this.pace = tower.pace(ticket);
    this.plan.add(attempts, ticket.slotStartMs, ticket.deadlineMs, ticket.rate);
  }

  /** Starts what is due, gives back what may not start any more, and comes back when the next slot begins. */
  proceed(): void {
    this.cancel?.();
    this.cancel = undefined;
    const now = this.tower.nowMs();
    const due = this.takeDue(now);
    if (due.length > 0) {
      this.underWay += due.length;
      this.tower.send(this, due);
    }
    const { next } = this.plan;
    if (next !== undefined && !this.over) {
      this.cancel ??= this.tower.at(this.pace.earliestMs(next.dueMs), () => {
        this.cancel = undefined;
        this.proceed();
      });
    }
    this.landWhenEmpty();
  }

  /** How many messages have slots that begin by then, and have not started. */
  dueBy(timeMs: number): number {
    return this.plan.dueBy(timeMs);
  }

  /** What was sent, or was about to be, has ended. */
  ended(attempt: IntendedAttempt, end: AttemptEnd): void {
    this.underWay -= 1;
    this.close(attempt, end);
    this.landWhenEmpty();
  }

  /** Nothing more of the batch may start. */
  stop(reason: AttemptEnd): void {
    this.stopped ??= reason;
    if (this.plan.next !== undefined) this.proceed();
  }

  private takeDue(now: number): Slot<IntendedAttempt>[] {
    const due: Slot<IntendedAttempt>[] = [];
    const patience = this.pace.patienceMs(this.ticket.rate);
    const refusal = this.stopped ?? this.tower.refusal(this.ticket);
    const { latestSlotMs } = this.tower;
    for (let next = this.plan.next; next !== undefined; next = this.plan.next) {
      if (refusal !== undefined) this.giveBack(this.plan.takeAll(), refusal);
      else if (next.dueMs > latestSlotMs) {
        this.giveBack(this.plan.takeAll(), notStarted('too-far', 'Its slot was too far ahead for this worker.'));
      } else if (next.dueMs > now) break;
      else if (now > next.deadlineMs) {
        this.giveBack(this.plan.takeOverdue(now), notStarted('late', 'The slot was over.'));
      } else if (now - next.dueMs > patience) {
        const late = this.plan.takeOverdue(now - patience);
        this.pace.missed(late.length, now);
        this.move(late);
      } else if (this.pace.earliestMs(next.dueMs) <= now) {
        this.pace.start(next.dueMs, now);
        this.plan.take();
        due.push(next);
      } else break;
    }
    return due;
  }

  /** They get slots of their own, paid with rate only. */
  private move(late: readonly Slot<IntendedAttempt>[]): void {
    this.underWay += late.length;
    const recipients = late.reduce((sum, slot) => sum + slot.recipients, 0);
    void this.tower.reslot(this.ticket, recipients).then((offer) => {
      this.underWay -= late.length;
      const items = late.map((slot) => slot.item);
      if (offer !== undefined) this.plan.add(items, offer.slotStartMs, offer.deadlineMs, offer.rate);
      else for (const item of items) this.close(item, notStarted('no-slot', 'The ledger gave no other slot.'));
      this.proceed();
    });
  }

  private giveBack(slots: readonly Slot<IntendedAttempt>[], why: AttemptEnd): void {
    for (const slot of slots) this.close(slot.item, why);
  }

  private close(attempt: IntendedAttempt, end: AttemptEnd): void {
    this.usage.add(attempt.tenantId, attempt.recipients, verdictOf(end).attempt, end);
    this.tower.record(attempt, end);
  }

  private landWhenEmpty(): void {
    if (this.over || this.underWay > 0 || this.plan.next !== undefined) return;
    this.over = true;
    this.tower.landed(this);
  }
}
