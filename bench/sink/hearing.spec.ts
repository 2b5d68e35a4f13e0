import { Socket } from 'node:net';
import { LoopWatch } from '../../apps/simulator/src/clock/loop-watch';
import { Hearing } from './hearing';

/** The event loop stands still for that long, milliseconds. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('since when a request to the fake SES may have waited', () => {
  it('is all of a stop of the event loop for what is heard after it, and no time otherwise', () => {
    const loop = new LoopWatch();
    const hearing = new Hearing(loop);
    const socket = new Socket();
    try {
      block(50);
      expect(hearing.since(socket, 1_000_000)).toBeLessThanOrEqual(950_000);
    } finally {
      loop.stop();
    }
    expect(new Hearing({ waitedMs: () => 0 }).since(socket, 1_000_000)).toBe(1_000_000);
  });

  it('lasts until the loop has caught up, or for as long again when it never does', () => {
    let waitedMs = 50;
    let restedMs = 700;
    const hearing = new Hearing(
      { waitedMs: () => waitedMs },
      () => 0,
      () => restedMs,
    );
    const socket = new Socket();
    expect(hearing.since(socket, 1_000_000)).toBe(950_000);
    waitedMs = 0;
    expect(hearing.since(socket, 1_008_000)).toBe(950_000);
    expect(hearing.since(socket, 1_050_000)).toBe(1_050_000);
    restedMs = 701;
    expect(hearing.since(socket, 1_009_000)).toBe(1_009_000);
  });

  it('counts for the first request of a connection that had to wait to be taken, and for no other', () => {
    let waitedMs = 50;
    let restedMs = 0;
    const hearing = new Hearing(
      { waitedMs: () => waitedMs },
      () => 1_000_000,
      () => restedMs,
    );
    const socket = new Socket();
    hearing.connected(socket);
    waitedMs = 0;
    restedMs = 1;
    expect(hearing.since(socket, 1_010_000)).toBe(950_000);
    expect(hearing.since(socket, 1_020_000)).toBe(1_020_000);
  });
});
