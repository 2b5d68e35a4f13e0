import type { SendingAccount } from '@libs/fleet';
import { Timers, type AwsAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ClockWatch } from './clock-watch.service';
import type { Ticket } from './dispatch.jobs';
import { Dispatcher } from './dispatcher.service';
import { EngineGate } from './engine-gate';
import { Expirer } from './expirer.service';
import { FairnessMeter } from './fairness-meter.service';
import { Feeder } from './feeder.service';
import { FlightRecorder } from './flight-recorder.service';
import { HeldBatches } from './held-batches';
import { LedgerKeeper } from './ledger-keeper.service';
import { OutcomeWriter } from './outcome-writer.service';
import { Pump } from './pump.service';
import { RecoveryService } from './recovery.service';
import { Rerouter } from './rerouter.service';
import { Resolver } from './resolver.service';
import { inTurns } from './side-by-side';
import { StrandedRoutes } from './stranded-routes.service';
import { Sweeper } from './sweeper.service';

const DRAIN_MS = 10_000;
/** How long the pumps wait for the first look at the accounts: old figures are better than none when AWS does not answer. */
const FIRST_LOOK_MS = 3_000;

/** The engine's front: what the worker's processors and ticks call. */
@Injectable()
export class SendEngine {
  private looked: Promise<void> | undefined;

  constructor(
    private readonly pump: Pump,
    private readonly dispatcher: Dispatcher,
    private readonly recovery: RecoveryService,
    private readonly sweeper: Sweeper,
    private readonly resolver: Resolver,
    private readonly rerouter: Rerouter,
    private readonly stranded: StrandedRoutes,
    private readonly feeder: Feeder,
    private readonly fairness: FairnessMeter,
    private readonly keeper: LedgerKeeper,
    private readonly expirer: Expirer,
    private readonly gate: EngineGate,
    private readonly held: HeldBatches,
    private readonly outcomes: OutcomeWriter,
    private readonly recorder: FlightRecorder,
    private readonly clocks: ClockWatch,
    private readonly timers: Timers,
  ) {}

  /** Works one ticket off. Resolves when every outcome is committed. */
  dispatch(ticket: Ticket): Promise<void> {
    return this.dispatcher.dispatch(ticket);
  }

  /** Claims a ticket and lets it fly; resolves when the claim has ended. */
  async take(ticket: Ticket): Promise<void> {
    await this.dispatcher.take(ticket);
  }

  /**
   * Starts pumps for new accounts; the first time after a look at what AWS allows now, as far as it answers in time. Nobody
   * may have looked for as long as no worker ran, and a quota that was cut meanwhile would be granted once more.
   */
  async tendPumps(): Promise<void> {
    if (!this.clocks.isRight) return;
    if (this.looked === undefined) void this.observeAccounts().catch(() => undefined);
    await this.looked;
    await this.pump.tend();
  }

  async feed(): Promise<number> {
    return this.clocks.isRight ? this.feeder.feed() : 0;
  }

  /** Replays what a killed predecessor of this host left. Called before anything else. */
  async recover(): Promise<void> {
    if (await this.clocks.look()) await this.recovery.replayDead();
  }

  /** Records of dead processes of this host, then grants and batches that nobody ended. */
  async sweep(): Promise<void> {
    if (!this.clocks.isRight) return;
    const parts = [
      () => this.recovery.replayDead(),
      () => this.sweeper.sweepGrants(),
      () => this.sweeper.sweepAbandoned(),
    ];
    // What one of them cannot do (a ledger that does not answer, a record that is refused) is no reason to leave the others.
    await inTurns(1, parts, (part) => part());
  }

  /** Moves what waits for closed accounts; answers how many messages. */
  async reroute(): Promise<number> {
    return this.clocks.isRight ? this.rerouter.reroute() : 0;
  }

  /** Makes ways out anew that only waiting mail still asks for. */
  restoreRoutes(): Promise<void> {
    return this.stranded.restore();
  }

  measureFairness(): Promise<void> {
    return this.fairness.measure();
  }

  async resolveDoubts(): Promise<number> {
    return this.clocks.isRight ? this.resolver.resolve() : 0;
  }

  /** Compares the clocks first: what is wrong by time is found here, and keeps everything else from going on. */
  async keepLedgers(): Promise<void> {
    if (await this.clocks.look()) await this.keeper.keep();
  }

  async observeAccounts(): Promise<void> {
    if (!this.clocks.isRight) return;
    const look = this.keeper.observe();
    this.looked ??= this.inTime(look);
    await look;
  }

  /** Looks again at accounts that AWS has paused. */
  async observePaused(): Promise<void> {
    if (this.clocks.isRight) await this.keeper.observePaused();
  }

  /** An operator has an AWS account verified, and AWS has answered. */
  accountSeen(seen: SendingAccount, before: SendingAccount | undefined): Promise<void> {
    return this.keeper.seen(seen, before);
  }

  /** The verification has ended well. @throws AWS's error */
  accountVerified(id: AwsAccountId): Promise<void> {
    return this.keeper.verified(id);
  }

  async releaseAndExpire(): Promise<{ released: number; expired: number }> {
    return this.clocks.isRight ? this.expirer.run() : { released: 0, expired: 0 };
  }

  /** Whether it succeeded or not: the pumps go on by what is known. */
  private async inTime(look: Promise<void>): Promise<void> {
    const waiting = new AbortController();
    const ended = look.catch(() => undefined);
    await Promise.race([ended, this.timers.sleep(FIRST_LOOK_MS, waiting.signal)]);
    waiting.abort();
  }

  /** Outcomes that are not committed yet, and batches under way. */
  get load(): { readonly batches: number; readonly outcomes: number } {
    return { batches: this.held.size, outcomes: this.outcomes.uncommitted };
  }

  /**
   * Ends this process's part: no new ticket, what is due within five seconds still goes, requests under way are
   * awaited, everything is written down.
   */
  async drain(): Promise<void> {
    this.gate.drain();
    this.dispatcher.drain();
    await this.pump.stop();
    for (let waited = 0; waited < DRAIN_MS && this.held.size > 0; waited += 20) await this.timers.sleep(20);
    this.recorder.close();
  }
}
