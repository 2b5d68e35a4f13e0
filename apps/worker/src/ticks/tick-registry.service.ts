import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { MarkedMethods, type MarkedMethod } from '../processing/marked-methods';
import { TICK, type TickSettings } from './tick.decorator';

/** Runs every tick, each in a loop of its own: a slow or failing one never holds up another. */
@Injectable()
export class TickRegistry {
  private readonly stopped = new AbortController();
  private loops: Promise<void>[] = [];
  private readonly failures;
  private readonly seconds;

  constructor(
    private readonly methods: MarkedMethods,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    // One listener per tick on one signal is meant, not a leak.
    setMaxListeners(0, this.stopped.signal);
    this.failures = metrics.counter('tick_failures_total', 'Ticks that failed, by tick', ['tick']);
    this.seconds = metrics.histogram('tick_seconds', 'How long ticks take', [0.005, 0.05, 0.5, 5, 50], ['tick']);
  }

  start(): void {
    this.loops = this.methods.find<TickSettings>(TICK).map((tick) => this.loop(tick));
  }

  /** Resolves when the ticks under way have ended. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.loops);
  }

  private async loop({ mark, call }: MarkedMethod<TickSettings>): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const began = performance.now();
      try {
        await call();
      } catch (error) {
        this.failures.inc({ tick: mark.name });
        this.log.warn('a tick failed; it will run again', { tick: mark.name, error });
      }
      this.seconds.observe({ tick: mark.name }, (performance.now() - began) / 1000);
      await sleep(mark.everyMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }
}
