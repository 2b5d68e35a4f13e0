import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { ClockWatch } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { MarkedMethods } from '../processing/marked-methods';
import { TickRegistry } from './tick-registry.service';
import { NOT_DONE, Tick } from './tick.decorator';

const HOUR_MS = 3_600_000;

@Injectable()
class Slow {
  runs = 0;
  private readonly ends: (() => void)[] = [];
  private readonly began: (() => void)[] = [];

  @Tick({ name: 'slow', everyMs: HOUR_MS })
  run(): Promise<void> {
    this.runs += 1;
    this.began.shift()?.();
    return new Promise((end) => this.ends.push(end));
  }

  /** Resolves when the next run has begun. */
  next(): Promise<void> {
    return new Promise((begun) => this.began.push(begun));
  }

  end(): void {
    this.ends.shift()?.();
  }
}

@Injectable()
class Dated {
  readonly runs: string[] = [];

  @Tick({ name: 'dated', everyMs: HOUR_MS, byDate: true })
  dated(): Promise<void> {
    this.runs.push('dated');
    return Promise.resolve();
  }

  @Tick({ name: 'undated', everyMs: HOUR_MS })
  undated(): Promise<void> {
    this.runs.push('undated');
    return Promise.resolve();
  }
}

@Injectable()
class Endless {
  runs = 0;

  @Tick({ name: 'endless', everyMs: HOUR_MS })
  run(): Promise<unknown> {
    this.runs += 1;
    return new Promise((end) => setImmediate(end, NOT_DONE));
  }
}

/** Whether this host's clock is right, as the tests have it. */
const clocks = { isRight: true };

function moduleWith(ticks: new () => object) {
  return Test.createTestingModule({
    imports: [
      DiscoveryModule,
      ObservabilityModule.forRoot(new Log({ name: 'test', level: 'silent' }), new Metrics('test')),
    ],
    providers: [MarkedMethods, TickRegistry, ticks, { provide: ClockWatch, useValue: clocks }],
  }).compile();
}

describe('a tick that goes by dates', () => {
  it('does nothing while the clock of its host is wrong', async () => {
    const module = await moduleWith(Dated);
    const [ticks, { runs }] = [module.get(TickRegistry), module.get(Dated)];
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    clocks.isRight = false;
    ticks.start();
    await turn();
    expect(runs).toEqual(['undated']);
    clocks.isRight = true;
    ticks.wake('dated');
    await turn();
    expect(runs).toEqual(['undated', 'dated']);
    await ticks.stop();
  });
});

describe('a tick that has more to do', () => {
  it('goes on without a pause, and ends with its process although there is always more', async () => {
    const module = await moduleWith(Endless);
    const [ticks, endless] = [module.get(TickRegistry), module.get(Endless)];
    ticks.start();
    while (endless.runs < 3) await new Promise((resolve) => setImmediate(resolve));
    await ticks.stop();
    const { runs } = endless;
    await new Promise((resolve) => setImmediate(resolve));
    expect(endless.runs).toBe(runs);
  });
});

describe('a tick that is woken', () => {
  it('does not wait for its time, and runs once more when it was under way', async () => {
    const module = await moduleWith(Slow);
    const [ticks, slow] = [module.get(TickRegistry), module.get(Slow)];
    const first = slow.next();
    ticks.start();
    await first;

    const second = slow.next();
    ticks.wake('slow');
    ticks.wake('slow');
    expect(slow.runs).toBe(1);
    slow.end();
    await second;
    slow.end();
    // It rests now.
    await new Promise((resolve) => setImmediate(resolve));
    const third = slow.next();
    ticks.wake('slow');
    await third;
    expect(slow.runs).toBe(3);
    slow.end();
    await ticks.stop();
    expect(slow.runs).toBe(3);
  });
});
