import type { FleetRole, OutgoingMail, SesSender } from '@libs/aws';
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

/** SendEmail from one process: the request arrives after the network's delay, whatever becomes of its sender. */
export class SimulatedSender implements Pick<SesSender, 'send' | 'post'> {
  constructor(
    private readonly process: SimulatedProcess,
    private readonly provider: Provider,
    private readonly time: VirtualTime,
    private readonly chance: Chance,
    private readonly events: SenderEvents,
  ) {}

  post(...[role, mail, deadlineMs, ended]: Parameters<SesSender['post']>): void {
    void this.send(role, mail, deadlineMs).then(ended);
  }

  send(role: FleetRole, mail: OutgoingMail, deadlineMs: number): Promise<SendOutcome> {
    return new Promise((resolve) => {
      if (!this.process.alive) return;
      const arrival: Arrival = {
        account: role.accountId as SendingAccountId,
        attempt: mail.tags['attempt'] as AttemptId,
        message: mail.tags['message'] as MessageId,
        recipients: mail.to.length + mail.cc.length + mail.bcc.length,
        departedMs: this.time.nowMs,
      };
      this.provider.written(arrival.account, arrival.recipients);
      this.events.departing(this.process, arrival);
      const giveUp = this.process.after(deadlineMs, () => {
        resolve({ kind: 'in-doubt', code: 'TimeoutError', message: 'no answer in time' });
      });
      this.time.at(this.chance.between(1, 8), () => {
        const answer = this.provider.receive(arrival);
        if (answer.kind === 'silence') return;
        this.time.at(this.serviceMs(), () => {
          this.process.enter(() => {
            giveUp();
            this.events.answered(this.process, arrival.attempt, answer.kind);
            resolve(answer.kind === 'sent' ? answer : { ...answer, message: answer.code });
          });
        });
      });
    });
  }

  /** p50 about 40 ms, p99 about 200 ms, now and then seconds. */
  private serviceMs(): number {
    if (this.chance.happens(0.001)) return this.chance.between(1_000, 20_000);
    return 15 + 25 / Math.max(0.08, 1 - this.chance.next());
  }
}
