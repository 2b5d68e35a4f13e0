import { Socket } from 'node:net';
import { Hearing } from './hearing';
import { LoopWatch } from './loop-watch';

/** The event loop stands still for that long, milliseconds. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('how long a request may have waited to be heard', () => {
  const socket = new Socket();
  let nowMs: number;
  let loopWaitedMs: number;
  let restedMs: number;
  let hearing: Hearing;

  beforeEach(() => {
    nowMs = 1_000;
    loopWaitedMs = 50;
    restedMs = 700;
    hearing = new Hearing(
      { waitedMs: () => loopWaitedMs },
      () => nowMs,
      () => restedMs,
    );
  });

  it('is all of a stop of the event loop for what is heard after it, and no time otherwise', () => {
    const loop = new LoopWatch();
    const real = new Hearing(loop);
    try {
      block(50);
      expect(real.waitedMs(socket)).toBeGreaterThanOrEqual(50);
    } finally {
      loop.stop();
    }
    loopWaitedMs = 0;
    expect(hearing.waitedMs(socket)).toBe(0);
  });

  it('is since the begin of the stop until the loop has caught up, or for as long again when it never does', () => {
    expect(hearing.waitedMs(socket)).toBe(50);
    loopWaitedMs = 0;
    nowMs = 1_008;
    expect(hearing.waitedMs(socket)).toBe(58);
    // Another short stop meanwhile does not make it forget the first.
    loopWaitedMs = 25;
    nowMs = 1_030;
    expect(hearing.waitedMs(socket)).toBe(80);
    loopWaitedMs = 0;
    restedMs = 701;
    expect(hearing.waitedMs(socket)).toBe(0);
    restedMs = 700;
    nowMs = 1_049;
    expect(hearing.waitedMs(socket)).toBe(99);
    nowMs = 1_050;
    expect(hearing.waitedMs(socket)).toBe(0);
  });

  it('counts for the first request of a connection that had to wait to be taken, and for no other', () => {
    hearing.connected(socket);
    loopWaitedMs = 0;
    restedMs = 701;
    nowMs = 1_010;
    expect(hearing.waitedMs(socket)).toBe(60);
    expect(hearing.waitedMs(socket)).toBe(0);
  });
});
