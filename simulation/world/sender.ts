import type { BulkOutcome, FleetRole, OutgoingMail, SesSender } from '@libs/aws';
import type { AttemptId, MessageId, SendingAccountId } from '@libs/kernel';
import type { Chance } from '../chance';
import type { Answer, Arrival, Provider } from './provider';
import type { SimulatedProcess } from './simulated-process';
import type { VirtualTime } from './virtual-time';

type SendOutcome = Awaited<ReturnType<SesSender['send']>>;

/** What the checker is told of requests. */
export interface SenderEvents {
  /** The process writes the request. */
  departing(process: SimulatedProcess, arrival: Arrival): void;
  /** The process knows the answer. */
  answered(process: SimulatedProcess, attempt: AttemptId, answer: Answer['kind']): void;
}

/** Requests of one process: each arrives after the network's delay, whatever becomes of its sender. */
export class SimulatedSender implements Pick<SesSender, 'send' | 'post' | 'mayPostTogether' | 'postTogether'> {
  constructor(
    private readonly process: SimulatedProcess,
    private readonly provider: Provider,
    private readonly time: VirtualTime,
    private readonly chance: Chance,
    private readonly events: SenderEvents,
  ) {}

  send(role: FleetRole, mail: OutgoingMail, deadlineMs: number): Promise<SendOutcome> {
    return new Promise((resolve) => {
      this.post(role, mail, deadlineMs, resolve);
    });
  }

  post(...[role, mail, deadlineMs, ended]: Parameters<SesSender['post']>): void {
    this.postTogether(role, [mail], deadlineMs, (outcome) => {
      const [only] = 'kind' in outcome ? [outcome] : outcome;
      if (only !== undefined) ended(only);
    });
  }

  mayPostTogether(): boolean {
    return true;
  }

  postTogether(...[role, mails, deadlineMs, ended]: Parameters<SesSender['postTogether']>): void {
    if (!this.process.alive) return;
    let isOver = false;
    const end = (outcome: BulkOutcome): void => {
      if (!isOver) ended(outcome);
      isOver = true;
    };
    const arrivals = mails.map((mail) => this.depart(role, mail));
    const giveUp = this.process.after(deadlineMs, () => {
      end({ kind: 'in-doubt', code: 'TimeoutError', message: 'no answer in time' });
    });
    this.time.at(this.chance.between(1, 8), () => {
      const answers = arrivals.map((arrival) => ({ arrival, answer: this.provider.receive(arrival) }));
      // They share an answer, and with it its loss.
      const heard = answers.flatMap(({ arrival, answer }) => (answer.kind === 'silence' ? [] : { arrival, answer }));
      if (heard.length < arrivals.length) return;
      this.time.at(this.serviceMs(), () => {
        this.process.enter(() => {
          giveUp();
          for (const { arrival, answer } of heard) this.events.answered(this.process, arrival.attempt, answer.kind);
          end(heard.map(({ answer }) => outcomeOf(answer)));
        });
      });
    });
  }

  private depart(role: FleetRole, mail: OutgoingMail): Arrival {
    const arrival: Arrival = {
      account: role.accountId as SendingAccountId,
      attempt: mail.tags['attempt'] as AttemptId,
      message: mail.tags['message'] as MessageId,
      recipients: mail.to.length + mail.cc.length + mail.bcc.length,
      departedMs: this.time.nowMs,
    };
    this.provider.written(arrival.account, arrival.recipients);
    this.events.departing(this.process, arrival);
    return arrival;
  }

  /** p50 about 40 ms, p99 about 200 ms, now and then seconds. */
  private serviceMs(): number {
    if (this.chance.happens(0.001)) return this.chance.between(1_000, 20_000);
    return 15 + 25 / Math.max(0.08, 1 - this.chance.next());
  }
}

function outcomeOf(answer: Exclude<Answer, { kind: 'silence' }>): SendOutcome {
  return answer.kind === 'sent' ? answer : { ...answer, message: answer.code };
}
