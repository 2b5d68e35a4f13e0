import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log, Metrics } from '@libs/observability';
import { ClockWatch } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { MarkedMethods, type MarkedMethod } from '../processing/marked-methods';
import { NOT_DONE, TICK, type TickSettings } from './tick.decorator';

/** Runs every tick, each in a loop of its own: a slow or failing one never holds up another. */
@Injectable()
export class TickRegistry {
  private stopped = false;
  private loops: Promise<void>[] = [];
  /** Ends the rest of a tick before its time, by name. */
  private readonly rests = new Map<string, AbortController>();
  private readonly failures;
  private readonly seconds;

  constructor(
    private readonly methods: MarkedMethods,
    private readonly clocks: ClockWatch,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.failures = metrics.counter('tick_failures_total', 'Ticks that failed, by tick', ['tick']);
    this.seconds = metrics.histogram('tick_seconds', 'How long ticks take', [0.005, 0.05, 0.5, 5, 50], ['tick']);
  }

  start(): void {
    const ticks = this.methods.find<TickSettings>(TICK);
    // As of every counter's labels: there before the first failure, whose growth is otherwise not seen.
    for (const { mark } of ticks) this.failures.inc({ tick: mark.name }, 0);
    this.loops = ticks.map((tick) => this.loop(tick));
  }

  /** There is something for that tick: it runs now, or once more when it is under way. */
  wake(name: string): void {
    this.rests.get(name)?.abort();
  }

  /** Resolves when the ticks under way have ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const rest of this.rests.values()) rest.abort();
    await Promise.all(this.loops);
  }

  private async loop({ mark, call }: MarkedMethod<TickSettings>): Promise<void> {
    while (!this.stopped) {
      // Made before the run: who wakes it meanwhile may have come too late for it.
      const rest = new AbortController();
      this.rests.set(mark.name, rest);
      const began = performance.now();
      let isDone = true;
      try {
        if (mark.byDate !== true || this.clocks.isRight) isDone = (await call()) !== NOT_DONE;
      } catch (error) {
        this.failures.inc({ tick: mark.name });
        this.log.warn('a tick failed; it will run again', { tick: mark.name, error });
      }
      this.seconds.observe({ tick: mark.name }, (performance.now() - began) / 1000);
      if (isDone) await sleep(mark.everyMs, undefined, { signal: rest.signal }).catch(() => undefined);
    }
  }
}
