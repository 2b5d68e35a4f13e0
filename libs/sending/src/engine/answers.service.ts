import { Timers } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { notStarted, type BatchFlight } from './batch-flight';
import type { IntendedAttempt } from './claim.repository';
import { EngineReactions } from './engine-reactions.service';
import { Failpoints } from './failpoints';
import { FlightRecorder } from './flight-recorder.service';
import { OutcomeWriter } from './outcome-writer.service';
import { verdictOf, type AttemptEnd } from './outcome.policy';

/**
 * Real milliseconds in which answers of SES gather, to be noted with one write: at moderate load each comes in a turn of
 * the loop of its own. A process that is killed meanwhile leaves them in doubt, a tenth of what is under way at any moment.
 */
const GATHER_MS = 5;

interface Answer {
  readonly flight: BatchFlight;
  readonly attempt: IntendedAttempt;
  readonly end: AttemptEnd;
}

/** What became of messages that were sent or were about to be: noted in the flight recorder first, then it counts. */
@Injectable()
export class Answers {
  private waiting: Answer[] = [];
  private stopGathering: (() => void) | undefined;
  private isHurried = false;
  /** Of those that are being taken: they count as of one moment. */
  private takenAt: Date | undefined;
  private readonly ends;

  constructor(
    private readonly recorder: FlightRecorder,
    private readonly outcomes: OutcomeWriter,
    private readonly reactions: EngineReactions,
    private readonly ledger: Ledger,
    private readonly timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.ends = metrics.counter('send_outcomes_total', 'Ends of attempts to send, by kind', ['kind']);
  }

  /** Takes an end; the flight hears of it a moment later. */
  add(flight: BatchFlight, attempt: IntendedAttempt, end: AttemptEnd): void {
    this.failpoints.reach('after-answer');
    this.waiting.push({ flight, attempt, end });
    if (end.kind === 'sent') {
      this.stopGathering ??= this.timers.after(GATHER_MS, () => {
        this.take();
      });
    } else if (!this.isHurried) {
      // It may be about all that would start next: with what else has arrived in this turn of the loop.
      this.isHurried = true;
      this.timers.soon(() => {
        this.take();
      });
    }
  }

  /** Gives an end to the writer of outcomes. */
  record({ tenantId, id: messageId, attemptId }: IntendedAttempt, end: AttemptEnd): void {
    this.outcomes.write({ tenantId, messageId, attemptId, end, at: this.takenAt ?? new Date(this.ledger.nowMs()) });
  }

  private take(): void {
    this.stopGathering?.();
    this.stopGathering = undefined;
    this.isHurried = false;
    const answers = this.waiting;
    this.waiting = [];
    try {
      this.recorder.answered(answers);
    } catch (error) {
      this.log.error('answers of SES could not be recorded; PostgreSQL will have them', { error });
    }
    this.failpoints.reach('after-record');
    this.takenAt = new Date(this.ledger.nowMs());
    let sent = 0;
    for (const { flight, attempt, end } of answers) {
      if (end.kind === 'sent') sent += 1;
      else this.ends.inc({ kind: end.kind });
      this.conclude(flight, attempt, end);
    }
    this.takenAt = undefined;
    if (sent > 0) this.ends.inc({ kind: 'sent' }, sent);
  }

  private conclude(flight: BatchFlight, attempt: IntendedAttempt, end: AttemptEnd): void {
    const verdict = verdictOf(end);
    if (verdict.stopsBatch) flight.stop(notStarted(end.kind, 'SES refused a message before this one.'));
    const { reaction } = verdict;
    if (reaction.kind === 'none') flight.ended(attempt, end);
    else {
      // First the account is closed, then the message waits again: or it would be granted once more at once.
      const operation = 'operation' in end ? end.operation : undefined;
      void this.reactions.react(reaction, flight.ticket.sendingAccountId, attempt, operation).then(() => {
        flight.ended(attempt, end);
      });
    }
  }
}
