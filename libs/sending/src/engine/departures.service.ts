import { CONNECTIONS, refusesSharing, SesSender, type FleetRole } from '@libs/aws';
import { Timers } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { Answers } from './answers.service';
import { accountRefused, notStarted, type BatchFlight } from './batch-flight';
import { composeMail } from './claim.policy';
import type { IntendedAttempt } from './claim.repository';
import { DepartureLines } from './departure-lines';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { EngineSettings } from './engine.settings';
import { Failpoints } from './failpoints';
import { FlightRecorder, RECORDER_REFUSES } from './flight-recorder.service';
import { identityRefusal } from './identity-refusal.policy';
import type { AttemptEnd } from './outcome.policy';
import { shareRequests, type Starting } from './shared-requests.policy';
import type { Slot } from './slot-plan.policy';
import { StartGrid } from './start-grid';

/** Real milliseconds a request may take in all; the ring's guard counts on it. */
const REQUEST_MS = 15_000;
/** Messages of all accounts start together once in so many real milliseconds: half a per cent of the second a rate is counted in. */
const GRID_MS = 5;
/** Starts between two looks at the clock: composing and signing takes time. */
const AT_ONCE = 64;

interface Departure {
  readonly flight: BatchFlight;
  readonly slot: Slot<IntendedAttempt>;
  readonly role: FleetRole;
  /** Of its attempt. */
  readonly content: string;
}

/** Composed, and noted in the recorder. */
type Composed = Departure & Starting;

/** Sends messages whose slots have come: noted in the flight recorder, composed, posted to SES. */
@Injectable()
export class Departures {
  /** Called after each tick of the grid: less is due than before. */
  afterTick: () => void = () => undefined;
  private readonly grid: StartGrid;
  private readonly lines = new DepartureLines<Departure>(CONNECTIONS);
  private goesOnSoon = false;
  private inTick = false;

  constructor(
    private readonly answers: Answers,
    private readonly recorder: FlightRecorder,
    private readonly sender: SesSender,
    private readonly ledger: Ledger,
    private readonly gate: EngineGate,
    private readonly accounts: EngineAccounts,
    private readonly settings: EngineSettings,
    timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
  ) {
    this.grid = new StartGrid(timers, GRID_MS, (works) => {
      this.tick(works);
    });
  }

  /** Calls `work` at the grid's first tick after so many real milliseconds; what this answers cancels it. */
  after(ms: number, work: () => void): () => void {
    return this.grid.after(ms, work);
  }

  /** Sends them, in order, with what else starts in this tick. Each ends by `flight.ended`. */
  send(flight: BatchFlight, slots: readonly Slot<IntendedAttempt>[]): void {
    for (const slot of slots) this.prepare(flight, slot);
    if (!this.inTick) this.depart();
  }

  private tick(works: readonly (() => void)[]): void {
    this.inTick = true;
    try {
      for (const work of works) work();
    } finally {
      this.inTick = false;
      this.depart();
      this.afterTick();
    }
  }

  /** Puts a message whose slot has come in its line; one that cannot be sent ends here. */
  private prepare(flight: BatchFlight, slot: Slot<IntendedAttempt>): void {
    const { item: attempt } = slot;
    const { content } = attempt;
    const role = flight.roles.get(attempt.tenantId) ?? notStarted('no-session', 'AWS gave no session in time.');
    if ('kind' in role) this.answers.add(flight, attempt, role);
    else if (content === null) {
      const message = 'The content was erased before the message could go.';
      this.answers.add(flight, attempt, { kind: 'invalid', code: 'BodyGone', message });
    } else this.lines.add(flight.ticket.sendingAccountId, { flight, slot, role, content });
  }

  /** Everything that finds a connection goes, in its order: noted in the recorder with one write for many, then on the wire. */
  private depart(): void {
    for (let group = this.lines.take(AT_ONCE); group.length > 0; group = this.lines.take(AT_ONCE)) {
      // The last look at the clock, right before the requests: a process that was frozen must not send on waking.
      const now = this.ledger.nowMs();
      const ready: Departure[] = [];
      for (const departure of group) {
        const { flight, slot } = departure;
        const why = this.whyNot(departure, now);
        if (why === undefined) ready.push(departure);
        else {
          this.leaveLine(flight);
          flight.ended(slot.item, why);
        }
      }
      if (ready.length > 0 && this.noteStarts(ready)) this.start(ready);
    }
  }

  /** What may go together shares a request. */
  private start(ready: readonly Departure[]): void {
    const composed = ready.flatMap((departure) => {
      this.failpoints.reach('before-send');
      return this.compose(departure) ?? [];
    });
    const now = this.ledger.nowMs();
    const mayShare = ({ role, flight }: Composed) =>
      this.settings.sharedRequests &&
      this.sender.mayPostTogether(role) &&
      !this.accounts.isApart(flight.ticket.sendingAccountId, now);
    for (const [first, ...others] of shareRequests(composed, mayShare)) {
      if (first === undefined) continue;
      if (others.length === 0) this.request(first, true);
      else this.requestTogether([first, ...others], true);
    }
  }

  private whyNot({ flight, slot }: Departure, now: number): AttemptEnd | undefined {
    if (now > slot.deadlineMs) return notStarted('late', 'The slot was over.');
    // SES may have said so while it waited for a connection.
    return this.gate.isAccountClosed(flight.ticket.sendingAccountId, now) ? accountRefused() : undefined;
  }

  private noteStarts(ready: readonly Departure[]): boolean {
    try {
      this.recorder.starting(ready.map(({ slot }) => slot.item.attemptId));
      return true;
    } catch (error) {
      this.log.error(RECORDER_REFUSES, { error });
      const end = { kind: 'unsent', code: 'RecorderFailed', message: 'The recorder could not be written.' } as const;
      for (const departure of ready) this.end(departure, end);
      return false;
    }
  }

  /** Undefined when it cannot be: it has ended then. */
  private compose(departure: Departure): Composed | undefined {
    const { flight, slot, content } = departure;
    const { tenantId: tenant, id: message, attemptId, suppressed, configurationSet, recipients, stream } = slot.item;
    const { num, den } = flight.ticket.rate;
    try {
      const mail = composeMail(content, suppressed, configurationSet, { tenant, message, attempt: attemptId });
      return { ...departure, mail, stream, recipients, rate: num / den };
    } catch (error) {
      // Nothing that was accepted is like this; whatever is must not keep its batch open.
      this.log.error('a stored content cannot be read', { message, error });
      this.end(departure, { kind: 'invalid', code: 'BodyUnreadable', message: 'Its content cannot be read.' });
      return undefined;
    }
  }

  private request(departure: Composed, mayRepeat: boolean): void {
    this.sender.post(departure.role, departure.mail, REQUEST_MS, (end) => {
      // Refused by its session, so certainly not sent: once more, with a fresh one.
      if (end.kind === 'credentials' && mayRepeat && this.isInTime(departure)) this.request(departure, false);
      else this.end(departure, identityRefusal(end, departure.content));
    });
  }

  private requestTogether(departures: readonly [Composed, ...Composed[]], mayRepeat: boolean): void {
    const [{ role, mail }, ...others] = departures;
    this.sender.postTogether(role, [mail, ...others.map((one) => one.mail)], REQUEST_MS, (outcome) => {
      const isRefused = 'kind' in outcome && outcome.kind === 'credentials';
      if (isRefused && mayRepeat && departures.every((one) => this.isInTime(one))) {
        this.requestTogether(departures, false);
        return;
      }
      const isOfSharing = refusesSharing(outcome);
      departures.forEach((departure, i) => {
        const end = 'kind' in outcome ? outcome : outcome[i];
        if (end === undefined) return;
        // What may be wrong with the sharing alone was certainly not sent.
        if (isOfSharing || end.kind === 'denied' || end.kind === 'invalid') this.goAlone(departure);
        else this.end(departure, identityRefusal(end, departure.content));
      });
    });
  }

  /** It hears what holds for itself. */
  private goAlone(departure: Composed): void {
    if (this.isInTime(departure)) this.request(departure, true);
    else this.end(departure, notStarted('late', 'The slot was over.'));
  }

  private isInTime({ slot }: Departure): boolean {
    return this.ledger.nowMs() <= slot.deadlineMs;
  }

  private end({ flight, slot }: Departure, end: AttemptEnd): void {
    this.leaveLine(flight);
    this.answers.add(flight, slot.item, end);
  }

  /** The next in its line goes with what else starts in the next tick. */
  private leaveLine({ ticket }: BatchFlight): void {
    if (!this.lines.ended(ticket.sendingAccountId) || this.goesOnSoon) return;
    this.goesOnSoon = true;
    this.grid.after(0, () => {
      this.goesOnSoon = false;
    });
  }
}
