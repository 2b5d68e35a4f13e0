import { Log, Metrics } from '@libs/observability';
import { Outbox } from '@libs/queueing';
import { SendEngine } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { ProcessorRegistry } from './processing/processor-registry.service';
import { TickRegistry } from './ticks/tick-registry.service';
import { OUTBOX_TICK } from './ticks/upkeep.ticks';

const MEASURE_MS = 1_000;

/** Starts and ends what the worker does, in order. */
@Injectable()
export class Worker {
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly open;
  private measuring: NodeJS.Timeout | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly processors: ProcessorRegistry,
    private readonly ticks: TickRegistry,
    private readonly engine: SendEngine,
    private readonly outbox: Outbox,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.open = metrics.gauge('engine_open', 'Batches under way and outcomes not yet written', ['what']);
  }

  /**
   * Begins nothing once it is to stop.
   * @throws ProcessorsIncomplete; the database's error when the last process's record cannot be replayed
   */
  start(): Promise<void> {
    this.starting ??= this.begin();
    return this.starting;
  }

  private async begin(): Promise<void> {
    if (this.isStopping()) return;
    // First what a killed predecessor left: its messages must not wait for a tick.
    await this.engine.recover();
    if (this.isStopping()) return;
    this.processors.start();
    this.ticks.start();
    this.stopListening = this.outbox.listen(() => {
      this.ticks.wake(OUTBOX_TICK);
    });
    this.measuring = setInterval(() => {
      const { batches, outcomes } = this.engine.load;
      this.open.set({ what: 'batches' }, batches);
      this.open.set({ what: 'outcomes' }, outcomes);
    }, MEASURE_MS);
  }

  /** Asked before and after a wait, while which it may have changed. */
  private isStopping(): boolean {
    return this.stopping !== undefined;
  }

  /** No new work; what is due goes out; everything is written. Bounded, and the same promise however often it is called. */
  stop(): Promise<void> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  private async drain(): Promise<void> {
    // A record that is being replayed is replayed to its end.
    await this.starting?.catch(() => undefined);
    clearInterval(this.measuring);
    this.stopListening?.();
    const jobs = this.processors.stop();
    await Promise.all([this.engine.drain(), this.ticks.stop()]);
    await jobs;
    this.log.info('worker drained', {});
  }
}
