import type { AttemptId, LaneId, MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import type { Grant, TenantLimits } from '@libs/quota';
import type { EngineParts } from '../broken-engine';
import { Chance } from '../chance';
import { Checker } from '../checker';
import { Trace } from '../trace';
import { SimulatedBull } from './bull';
import { SimulatedFleet } from './fleet';
import { Ids } from './ids';
import { SimulatedLedger, type LedgerEvents } from './ledger';
import { Provider, type Answer, type Arrival, type ProviderEvents } from './provider';
import { RedisServer } from './redis-server';
import type { SenderEvents } from './sender';
import { SimulatedHost, SimulatedProcess } from './simulated-process';
import { Tables } from './tables';
import type { ResolverFault } from './upkeep-rows';
import { EPOCH_MS, VirtualTime } from './virtual-time';
import { Wire } from './wire';
import { SimulatedWorker, WORKER_PACE, type TickPace } from './worker';

/** How provider events travel at the moment. */
export interface EventPath {
  lost: number;
  doubled: number;
  leastMs: number;
  mostMs: number;
}

export interface WorldOptions extends EngineParts {
  readonly seed: number;
  readonly print?: (line: string) => void;
  readonly pace?: TickPace;
  readonly workersAtMost?: number;
  readonly inDoubtAfterMs?: Readonly<Record<Stream, number>>;
  /** Only this many workers ask the ledgers at a time; all of them send. */
  readonly pumpsAtMost?: number;
  readonly onTaken?: (recipients: number) => void;
}

const LANE = '00000000-0000-7000-8000-00000000000a' as LaneId;

/** Everything outside the engine, and the processes the engine runs in. */
export class World implements LedgerEvents, SenderEvents, ProviderEvents {
  readonly time = new VirtualTime();
  readonly chance: Chance;
  readonly network: Chance;
  readonly trace: Trace;
  readonly ids = new Ids(() => this.time.nowMs);
  readonly fleet = new SimulatedFleet();
  readonly tables: Tables;
  readonly wire: Wire;
  readonly provider: Provider;
  readonly bull: SimulatedBull;
  readonly checker: Checker;
  readonly pace: TickPace;
  readonly workersAtMost: number;
  readonly inDoubtAfterMs: Readonly<Record<Stream, number>>;
  readonly resolverFault: ResolverFault | undefined;
  readonly workers: SimulatedWorker[] = [];
  readonly events: EventPath = { lost: 0, doubled: 0, leastMs: 200, mostMs: 3_000 };
  redis: RedisServer;
  accepted = 0;
  crashes = 0;
  /** Chance that a process is killed at each moment a call of its could be cut. */
  crashAtStep = 0;
  private readonly api: SimulatedProcess;
  private readonly offers: SimulatedLedger;
  private readonly ears = new Set<{ readonly process: SimulatedProcess; readonly hear: (account: string) => void }>();
  private names = 0;
  private runs = 1;

  constructor(private readonly options: WorldOptions) {
    this.chance = new Chance(options.seed);
    this.network = this.chance.fork();
    this.pace = options.pace ?? WORKER_PACE;
    this.workersAtMost = options.workersAtMost ?? 4;
    this.inDoubtAfterMs = options.inDoubtAfterMs ?? { TRANSACTIONAL: 20_000, MARKETING: 30_000 };
    this.resolverFault = options.resolverFault;
    this.trace = new Trace(() => this.time.nowMs, options.print);
    this.tables = new Tables({
      illegal: (message, to) => {
        this.checker.violate('sent-taken-back', `${this.trace.name('message', message.id)} became ${to}`);
      },
      expired: (message) => {
        this.checker.expired(message);
      },
      attempt: (attempt) => {
        this.checker.changed(attempt);
      },
    });
    this.checker = new Checker(() => this.time.nowMs, this.tables, this.trace, this.inDoubtAfterMs);
    this.wire = new Wire(this.time, this.network);
    this.wire.onStep = (process) => {
      this.mayCrash(process);
    };
    this.provider = new Provider(this.time, this.network, this);
    this.redis = new RedisServer('run1', options.makeLedger);
    this.bull = new SimulatedBull(this.time, this.network, () => this.redis);
    this.api = new SimulatedProcess('api', new SimulatedHost('api'), this.time);
    this.offers = new SimulatedLedger(this.api, () => this.redis, this.wire, this.time, this);
  }

  addAccount(quota: number, rate: number): SendingAccountId {
    const id = this.ids.next<SendingAccountId>();
    this.provider.add(id, quota, rate);
    this.fleet.add(id, id, quota, String(rate));
    this.trace.note(`${this.trace.name('account', id)}: ${String(quota)} a day, ${String(rate)}/s`);
    return id;
  }

  addTenant(limits: TenantLimits): TenantId {
    const id = this.ids.next<TenantId>();
    this.tables.tenants.set(id, { id, limits, paused: false });
    return id;
  }

  /** What the api does: committed first, then offered as a hint that may get lost. */
  accept(
    account: SendingAccountId,
    tenant: TenantId,
    stream: Stream,
    recipients: readonly number[],
    options: { readonly expiresAfterMs?: number; readonly policy?: 'AT_LEAST_ONCE' | 'AT_MOST_ONCE' } = {},
  ): MessageId[] {
    const now = Math.floor(EPOCH_MS + this.time.nowMs);
    const messages = recipients.map((count) => {
      const id = this.ids.next<MessageId>();
      this.tables.addMessage({
        tenantId: tenant,
        id,
        accountId: account,
        laneId: LANE,
        mode: 'LIVE',
        stream,
        recipients: count,
        policy: options.policy ?? 'AT_LEAST_ONCE',
        createdMs: now,
        scheduledMs: null,
        expiresMs: now + (options.expiresAfterMs ?? 172_800_000),
        state: 'READY',
        attemptNo: 0,
        notBeforeMs: null,
      });
      return { id, recipients: count };
    });
    this.accepted += messages.length;
    const { limits } = this.tables.tenants.get(tenant) ?? { limits: { weight: 1, dayCap: null, rate: null } };
    if (this.network.happens(0.7)) {
      void this.offers.offer(account, tenant, stream, limits, messages).catch(() => undefined);
    }
    return messages.map(({ id }) => id);
  }

  /** Starts a worker process there; boots while time stands still. */
  startWorker(host: SimulatedHost): SimulatedWorker {
    const process = new SimulatedProcess(`w${String((this.names += 1))}`, host, this.time);
    const worker: SimulatedWorker = new SimulatedWorker(process, this, () => this.isPump(worker));
    if (this.workers.length === 0) this.provider.unwatched = { ...this.provider.unwatched, untilMs: this.time.nowMs };
    this.workers.push(worker);
    this.bull.consumers.push(worker);
    this.time.at(0, async () => {
      this.trace.note(`${process.name} starts on ${host.name}`);
      this.checker.started(process);
      await worker.boot();
    });
    return worker;
  }

  kill(worker: SimulatedWorker, how = 'is killed'): void {
    if (!worker.process.alive) return;
    this.trace.note(`${worker.process.name} ${how}`);
    this.crashes += 1;
    worker.process.kill();
    this.buried(worker);
  }

  /** A drained worker has ended by itself. */
  buried(worker: SimulatedWorker): void {
    this.checker.died(worker.process);
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.bull.consumers.splice(this.bull.consumers.indexOf(worker), 1);
    worker.takesJobs = false;
    if (this.workers.length === 0)
      this.provider.unwatched = { fromMs: this.time.nowMs, untilMs: Number.POSITIVE_INFINITY };
    this.onDeath(worker);
  }

  /** Who brings a killed worker back. */
  onDeath: (worker: SimulatedWorker) => void = () => undefined;

  /**
   * Answers true when the process dies in the middle of a line it is writing.
   * @param times so much more often than at any step: between a send and its record lies one moment among dozens
   */
  mayCrash(process: SimulatedProcess, times = 1): boolean {
    if (this.crashAtStep === 0 || !this.network.happens(Math.min(0.5, this.crashAtStep * times))) return false;
    const worker = this.workers.find((one) => one.process === process);
    if (!worker) return false;
    this.kill(worker, 'is killed in the middle of a call');
    return this.network.happens(0.3);
  }

  /** Redis anew under the same address: other run id, with its data or without. */
  replaceRedis(server: RedisServer, splitMs: number): void {
    this.redis = server;
    for (const worker of [...this.workers]) {
      this.time.at(this.network.between(0, splitMs), () => {
        worker.redis = server;
      });
    }
    this.bull.poke();
  }

  /** Takes what ended long ago out of memory, after a last look at it. */
  forgetBefore(endedMs: number, batchesMs: number): void {
    this.tables.prune(endedMs, batchesMs, (message) => {
      this.checker.forget(message);
    });
  }

  nextRunId(): string {
    return `run${String((this.runs += 1))}`;
  }

  granted(account: SendingAccountId, opId: string, grant: Grant): void {
    this.trace.note(
      `${this.trace.name('account', account)} grants ${String(grant.recipients)} as ${this.trace.name('batch', opId)}`,
    );
  }

  /** Hears of accounts that have got mail; like any subscriber, not of all of them. */
  listen(process: SimulatedProcess, hear: (account: string) => void): () => void {
    const ear = { process, hear };
    this.ears.add(ear);
    return () => this.ears.delete(ear);
  }

  woken(account: SendingAccountId, what: string): void {
    for (const ear of this.ears) {
      if (!ear.process.alive) this.ears.delete(ear);
      else if (!this.network.happens(0.1)) {
        this.time.at(this.network.between(0.2, 2), () => {
          ear.process.enter(() => {
            ear.hear(`${account}${what}`);
          });
        });
      }
    }
  }

  opened(account: SendingAccountId, epoch: bigint, runId: string): void {
    this.trace.note(`${this.trace.name('account', account)} has a ledger of epoch ${String(epoch)} on ${runId}`);
    this.checker.opened(runId, account, epoch);
  }

  departing(process: SimulatedProcess, arrival: Arrival): void {
    this.trace.note(
      `${process.name} sends ${this.trace.name('message', arrival.message)} as ${this.trace.name('attempt', arrival.attempt)}`,
    );
    this.checker.departing(process, arrival);
  }

  answered(process: SimulatedProcess, attempt: AttemptId, answer: Answer['kind']): void {
    if (answer !== 'sent') this.trace.note(`${process.name}: ${this.trace.name('attempt', attempt)} ended ${answer}`);
    const row = this.tables.attempts.get(attempt);
    if (row && answer === 'sent') this.checker.answered(attempt, row.messageId);
  }

  written(account: SendingAccountId, inSecond: number, rate: number, largest: number): void {
    this.checker.written(account, inSecond, rate, largest);
  }

  taken(arrival: Arrival, overQuota: number): void {
    this.checker.takenBySes(arrival, overQuota);
    this.options.onTaken?.(arrival.recipients);
    const copies = this.network.happens(this.events.doubled) ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      if (this.network.happens(this.events.lost)) continue;
      const acceptedMs = Math.floor(EPOCH_MS + this.time.nowMs);
      this.time.at(this.network.between(this.events.leastMs, this.events.mostMs), () => {
        this.applySendEvent(arrival, acceptedMs);
      });
    }
  }

  /** What EventApplier writes for a Send event; it waits while PostgreSQL is away. */
  private applySendEvent(arrival: Arrival, acceptedMs: number): void {
    if (!this.wire.health.postgres.up) {
      this.time.at(1_000, () => {
        this.applySendEvent(arrival, acceptedMs);
      });
      return;
    }
    const attempt = this.tables.attempts.get(arrival.attempt);
    if (!attempt) return;
    this.checker.eventApplied(arrival.attempt, arrival.message);
    const ended = attempt.state === 'SENT' || attempt.state === 'REJECTED';
    this.tables.setAttempt(attempt, {
      sendEventMs: attempt.sendEventMs ?? acceptedMs,
      ...(ended ? {} : { state: 'SENT', endedMs: acceptedMs }),
    });
    const message = this.tables.messages.get(arrival.message);
    if (!message || attempt.state !== 'SENT') return;
    const waits = ['IN_DOUBT', 'READY', 'EXPIRED', 'CANCELED'].includes(message.state);
    if (waits || (message.state === 'INTENT' && message.attemptNo === attempt.attemptNo)) {
      this.tables.setMessage(message, { state: 'SENT' });
    }
  }

  private isPump(worker: SimulatedWorker): boolean {
    const most = this.options.pumpsAtMost ?? Number.POSITIVE_INFINITY;
    return this.workers.filter((one) => one.takesJobs).indexOf(worker) < most;
  }
}
