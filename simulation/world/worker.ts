import 'reflect-metadata';
import { AuditService } from '@libs/audit';
import { CredentialCache, SesSender } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { ObservationService, RouteService, SendingAccountService } from '@libs/fleet';
import { EngineClock, Timers, type Stream } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { ProvisioningService } from '@libs/placement';
import { EngineRedis, JobQueue } from '@libs/queueing';
import { Ledger } from '@libs/quota';
import { EngineModule, SendEngine, type Ticket } from '@libs/sending';
import { Module, type INestApplicationContext, type Provider as NestProvider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AcceptRepository } from '../../libs/sending/src/accept.repository';
import { BacklogRepository } from '../../libs/sending/src/backlog.repository';
import { ClaimRepository } from '../../libs/sending/src/engine/claim.repository';
import { ExpirerRepository } from '../../libs/sending/src/engine/expirer.repository';
import { Failpoints } from '../../libs/sending/src/engine/failpoints';
import { FeederRepository } from '../../libs/sending/src/engine/feeder.repository';
import { FlightRecorder } from '../../libs/sending/src/engine/flight-recorder.service';
import { LeaseKeeper } from '../../libs/sending/src/engine/lease-keeper.service';
import { OfferLimits } from '../../libs/sending/src/offer-limits.service';
import { LedgerKeeperRepository } from '../../libs/sending/src/engine/ledger-keeper.repository';
import { OutcomeRepository } from '../../libs/sending/src/engine/outcome.repository';
import { RerouterRepository } from '../../libs/sending/src/engine/rerouter.repository';
import { ResolverRepository } from '../../libs/sending/src/engine/resolver.repository';
import type { Chance } from '../chance';
import type { Checker } from '../checker';
import type { Trace } from '../trace';
import { SimulatedJobQueue, type Consumer, type SimulatedBull } from './bull';
import { ClaimRows } from './claim-rows';
import { SimulatedUnitOfWork } from './database';
import { FleetCalls, type SimulatedFleet } from './fleet';
import type { Ids } from './ids';
import { SimulatedLedger, type LedgerEvents } from './ledger';
import { OutcomeRows } from './outcome-rows';
import type { Provider } from './provider';
import { SimulatedRecorder } from './recorder';
import type { QueuedJob, RedisServer } from './redis-server';
import { BacklogRows, RerouterRows } from './reroute-rows';
import { SimulatedSender, type SenderEvents } from './sender';
import type { SimulatedProcess } from './simulated-process';
import type { Tables } from './tables';
import { ExpirerRows, FeederRows, LedgerKeeperRows, ResolverRows, type ResolverFault } from './upkeep-rows';
import type { VirtualTime } from './virtual-time';
import type { Wire } from './wire';

/** Its providers are named for each process. */
@Module({})
class SimulatedWorkerModule {}

/** How often each tick runs, milliseconds, as apps/worker has them. */
export interface TickPace {
  readonly ledger: number;
  readonly observe: number;
  readonly observePaused: number;
  readonly pumps: number;
  readonly feed: number;
  readonly sweep: number;
  readonly resolve: number;
  readonly expire: number;
  readonly reroute: number;
}

export const WORKER_PACE: TickPace = {
  ledger: 500,
  observe: 60_000,
  observePaused: 10_000,
  pumps: 500,
  feed: 500,
  sweep: 1_000,
  resolve: 1_000,
  expire: 1_000,
  reroute: 2_000,
};

/** So much more often does a process die where it writes its record, and at the engine's failpoints, than elsewhere. */
const AT_A_RECORD = 6;

const quiet = { inc: () => undefined, observe: () => undefined, set: () => undefined };

/** What a worker finds around it: the other side of every port. */
export interface Surroundings extends LedgerEvents, SenderEvents {
  readonly redis: RedisServer;
  readonly bull: SimulatedBull;
  readonly fleet: SimulatedFleet;
  readonly provider: Provider;
  readonly tables: Tables;
  readonly wire: Wire;
  readonly time: VirtualTime;
  readonly network: Chance;
  readonly ids: Ids;
  readonly trace: Trace;
  readonly checker: Checker;
  readonly pace: TickPace;
  readonly workersAtMost: number;
  readonly inDoubtAfterMs: Readonly<Record<Stream, number>>;
  readonly resolverFault: ResolverFault | undefined;
  /** Kills the process at a moment that the seed chose. Answers whether it did. */
  mayCrash(process: SimulatedProcess, times?: number): boolean;
  listen(process: SimulatedProcess, hear: (account: string) => void): () => void;
}

/** A worker: the engine as EngineModule wires it, with every port replaced by the world's. */
export class SimulatedWorker implements Consumer {
  takesJobs = false;
  redis: RedisServer;
  private engine: SendEngine | undefined;
  private context: INestApplicationContext | undefined;

  constructor(
    readonly process: SimulatedProcess,
    private readonly world: Surroundings,
    private readonly pumps: () => boolean,
  ) {
    this.redis = world.redis;
  }

  async boot(): Promise<void> {
    const context = await NestFactory.createApplicationContext(
      { module: SimulatedWorkerModule, providers: this.providers() },
      { logger: false, abortOnError: false },
    );
    this.context = context;
    this.engine = context.get(SendEngine);
    this.process.enter(() => void this.start());
  }

  run(job: QueuedJob): Promise<void> {
    return this.engine?.dispatch(job.payload as Ticket) ?? Promise.resolve();
  }

  /** SIGTERM: takes no more jobs, ends what it has, and goes. */
  async drain(): Promise<void> {
    this.takesJobs = false;
    await this.engine?.drain();
    this.process.kill();
  }

  forget(): void {
    void this.context?.close();
  }

  private async start(): Promise<void> {
    const { engine, world } = this;
    if (!engine) return;
    for (;;) {
      try {
        await engine.recover();
        break;
      } catch {
        await this.process.sleep(1_000); // as its supervisor would start it again
      }
    }
    this.takesJobs = true;
    world.bull.poke();
    const pace = world.pace;
    this.tick(pace.ledger, () => engine.keepLedgers());
    this.tick(pace.observe, () => engine.observeAccounts());
    this.tick(pace.observePaused, () => engine.observePaused());
    this.tick(pace.pumps, () => (this.pumps() ? engine.tendPumps() : Promise.resolve()));
    this.tick(pace.feed, () => engine.feed());
    this.tick(pace.sweep, () => engine.sweep());
    this.tick(pace.resolve, () => engine.resolveDoubts());
    this.tick(pace.reroute, () => engine.reroute());
    this.tick(pace.expire, () => engine.releaseAndExpire());
  }

  private tick(everyMs: number, call: () => Promise<unknown>): void {
    const again = () => {
      if (this.takesJobs)
        void call()
          .catch(() => undefined)
          .then(() => this.process.after(everyMs, again));
    };
    again();
  }

  private providers(): NestProvider[] {
    const { world, process } = this;
    const redis = () => this.redis;
    const fleet = new FleetCalls(process, world.fleet, world.provider, world.wire, world.time);
    const metrics = { counter: () => quiet, gauge: () => quiet, histogram: () => quiet };
    const note = (level: string) => (message: string, fields?: { readonly error?: unknown }) => {
      const why = fields?.error instanceof Error ? ` (${fields.error.message})` : '';
      world.trace.note(`${process.name} ${level}: ${message}${why}`);
    };
    const standIns: readonly (readonly [abstract new (...args: never[]) => unknown, unknown])[] = [
      [Timers, process],
      [EngineClock, process.clock],
      [UnitOfWork, new SimulatedUnitOfWork(process, world.tables, world.wire)],
      [Ledger, new SimulatedLedger(process, redis, world.wire, world.time, world)],
      [JobQueue, new SimulatedJobQueue(process, redis, world.bull, world.wire)],
      [EngineRedis, { listen: (_: string, hear: (account: string) => void) => world.listen(process, hear) }],
      [SesSender, new SimulatedSender(process, world.provider, world.time, world.network, world)],
      [CredentialCache, { get: () => Promise.resolve(undefined), ready: () => ({}), forget: () => undefined }],
      [SendingAccountService, fleet],
      [ObservationService, fleet],
      [RouteService, fleet],
      [AuditService, { record: () => Promise.resolve() }],
      [
        ProvisioningService,
        {
          reprovision: () => Promise.resolve(),
          holdRoute: () => Promise.resolve(),
          holdDomains: () => Promise.resolve(),
        },
      ],
      [Log, { info: note('info'), warn: note('warn'), error: note('error'), debug: () => undefined }],
      [Metrics, metrics],
      [FlightRecorder, new SimulatedRecorder(process, () => world.mayCrash(process, AT_A_RECORD))],
      [
        ClaimRepository,
        new ClaimRows(world.tables, world.fleet, world.ids, (attempt) => {
          world.checker.claimed(attempt);
        }),
      ],
      [OutcomeRepository, new OutcomeRows(world.tables)],
      [FeederRepository, new FeederRows(world.tables)],
      [LedgerKeeperRepository, new LedgerKeeperRows(world.tables)],
      [ResolverRepository, new ResolverRows(world.tables, world.resolverFault)],
      [ExpirerRepository, new ExpirerRows(world.tables)],
      // Nobody's volume is new, and nobody stands on several accounts.
      [
        OfferLimits,
        { of: (_: unknown, limits: unknown) => Promise.resolve(limits), dayCaps: () => Promise.resolve(new Map()) },
      ],
      [LeaseKeeper, { divide: () => Promise.resolve(new Map()) }],
      // No tenant is placed elsewhere in these runs.
      [AcceptRepository, {}],
      [BacklogRepository, new BacklogRows(world.tables)],
      [RerouterRepository, new RerouterRows(world.tables, world.fleet)],
    ];
    const options = {
      worker: process.name,
      recorderDir: process.host.name,
      inDoubtAfterMs: world.inDoubtAfterMs,
      workers: world.workersAtMost,
      failpoints: new Failpoints(() => {
        world.mayCrash(process, AT_A_RECORD);
      }),
    };
    const replaced = new Set<unknown>(standIns.map(([token]) => token));
    const own = (EngineModule.forRoot(options).providers ?? []).filter(
      (provider) => !replaced.has('provide' in provider ? provider.provide : provider),
    );
    return [...own, ...standIns.map(([provide, useValue]) => ({ provide, useValue }))];
  }
}
