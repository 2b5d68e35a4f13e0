import type { AttemptId, BatchId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import { accountRefused, BatchFlight, type OtherSlot, type Tower } from './batch-flight';
import type { IntendedAttempt } from './claim.repository';
import type { Ticket } from './dispatch.jobs';
import type { AttemptEnd } from './outcome.policy';
import type { Slot } from './slot-plan.policy';
import { StartPace } from './start-pace.policy';

const START = 1_000_000;
const SENT: AttemptEnd = { kind: 'sent', sesMessageId: 's' };

/** A clock of its own, moved by the test; requests are answered when the test says so. */
class TestTower implements Tower {
  now = START;
  latestSlotMs = Number.POSITIVE_INFINITY;
  /** What the clock moves between two looks at it. */
  tick = 0;
  other: OtherSlot = undefined;
  refused: AttemptEnd | undefined;
  readonly sent: number[] = [];
  readonly ends: AttemptEnd[] = [];
  landings = 0;
  private alarms: { readonly timeMs: number; readonly work: () => void }[] = [];
  private readonly starts = new StartPace(1);

  nowMs(): number {
    this.now += this.tick;
    return this.now;
  }
  refusal(): AttemptEnd | undefined {
    return this.refused;
  }
  pace(): StartPace {
    return this.starts;
  }
  at(timeMs: number, work: () => void): () => void {
    const alarm = { timeMs, work };
    this.alarms.push(alarm);
    return () => {
      this.alarms = this.alarms.filter((one) => one !== alarm);
    };
  }
  send(flight: BatchFlight, slots: readonly Slot<IntendedAttempt>[]): void {
    for (const { item } of slots) {
      this.sent.push(this.now);
      flight.ended(item, SENT);
    }
  }
  record(_attempt: IntendedAttempt, end: AttemptEnd): void {
    this.ends.push(end);
  }
  reslot(): Promise<OtherSlot> {
    return Promise.resolve(this.other);
  }
  landed(): void {
    this.landings += 1;
  }

  /** Lets the next alarm ring, at its time or when the process wakes again. */
  ring(notBeforeMs = 0): boolean {
    const [next] = this.alarms.sort((a, b) => a.timeMs - b.timeMs);
    if (next === undefined) return false;
    this.alarms = this.alarms.filter((one) => one !== next);
    this.now = Math.max(this.now, next.timeMs, notBeforeMs);
    next.work();
    return true;
  }
}

function ticket(rate: number): Ticket {
  return {
    batchId: 'b' as BatchId,
    sendingAccountId: 'a' as SendingAccountId,
    epoch: '1',
    bucketStartMs: START,
    slotStartMs: START + 10,
    deadlineMs: START + 10_000,
    granted: 100,
    rate: { num: rate, den: 1 },
    messages: [],
  };
}

function attempts(count: number): IntendedAttempt[] {
  return Array.from({ length: count }, (_, i) => ({
    tenantId: 't' as TenantId,
    id: `m${String(i)}` as MessageId,
    attemptId: `x${String(i)}` as AttemptId,
    recipients: 1,
    stream: 'MARKETING',
    configurationSet: 's',
    suppressed: [],
    content: '{}',
  }));
}

describe('a batch on its way', () => {
  it('starts each message in its slot, and lands when all have ended', () => {
    const tower = new TestTower();
    new BatchFlight(ticket(100), attempts(5), new Map(), tower).proceed();
    while (tower.ring());
    expect(tower.sent).toEqual([10, 20, 30, 40, 50].map((ms) => START + ms));
    expect(tower.landings).toBe(1);
  });

  it('gives back what has not started once its account is refused, by whichever batch that was noticed', () => {
    const tower = new TestTower();
    new BatchFlight(ticket(100), attempts(5), new Map(), tower).proceed();
    tower.ring();
    tower.ring();
    tower.refused = accountRefused();
    while (tower.ring());
    expect(tower.sent).toHaveLength(2);
    expect(tower.ends.map(({ kind }) => kind)).toEqual(['sent', 'sent', 'unstarted', 'unstarted', 'unstarted']);
    expect(tower.landings).toBe(1);
  });

  it('misses no slot that comes due while it looks at the clock twice', () => {
    const tower = new TestTower();
    tower.tick = 1;
    new BatchFlight(ticket(5_000), attempts(100), new Map(), tower).proceed();
    while (tower.ring());
    expect(tower.sent).toHaveLength(100);
    expect(Math.max(...tower.sent)).toBeLessThan(START + 300);
  });

  it('goes on as late as a short stop made it, and asks for other slots only for what is too late', async () => {
    const tower = new TestTower();
    tower.other = {
      nowMs: START + 400,
      slotStartMs: START + 500,
      deadlineMs: START + 10_000,
      rate: { num: 100, den: 1 },
    };
    new BatchFlight(ticket(100), attempts(40), new Map(), tower).proceed();
    tower.ring(START + 400);
    // The slots of the last 20 ms go now, but not the one that begins: starts may come 12 ms nearer to each other, no more.
    expect(tower.sent).toEqual([START + 400, START + 400]);
    await Promise.resolve();
    await Promise.resolve();
    while (tower.ring());
    expect(tower.sent).toHaveLength(40);
    const gaps = tower.sent.slice(1).map((at, i) => at - (tower.sent[i] ?? 0));
    expect(gaps.filter((gap) => gap < 9)).toHaveLength(1);
    expect(tower.landings).toBe(1);
  });

  it('gives back what gets no other slot, what is too late for good, and what the stop of the worker would delay', async () => {
    const refused = new TestTower();
    new BatchFlight(ticket(100), attempts(40), new Map(), refused).proceed();
    refused.ring(START + 400);
    await Promise.resolve();
    await Promise.resolve();
    expect(refused.ends.filter((end) => end.kind === 'unstarted')).toHaveLength(38);

    const late = new TestTower();
    new BatchFlight(ticket(100), attempts(3), new Map(), late).proceed();
    late.ring(START + 60_000);
    expect(late.ends.map((end) => end.kind)).toEqual(['unstarted', 'unstarted', 'unstarted']);

    const draining = new TestTower();
    const flight = new BatchFlight(ticket(1), attempts(10), new Map(), draining);
    flight.proceed();
    draining.latestSlotMs = START + 1_500;
    flight.proceed();
    while (draining.ring());
    expect(draining.sent).toHaveLength(2);
    expect(draining.landings).toBe(1);
  });

  it('gives back what would wait for a time that has not come yet, once a clock that was ahead is set back', () => {
    const tower = new TestTower();
    new BatchFlight(ticket(100), attempts(5), new Map(), tower).proceed();
    tower.ring();
    tower.latestSlotMs = START - 3_600_000 + 30_000;
    tower.ring();
    expect(tower.sent).toHaveLength(1);
    expect(tower.ends.filter((end) => end.kind === 'unstarted')).toHaveLength(4);
    expect(tower.landings).toBe(1);
  });

  it('stops when SES refused a message of it for all', () => {
    const tower = new TestTower();
    const flight = new BatchFlight(ticket(100), attempts(10), new Map(), tower);
    flight.proceed();
    tower.ring();
    flight.stop({ kind: 'unstarted', code: 'unstarted', message: 'stopped' });
    expect(tower.sent).toHaveLength(1);
    expect(tower.ends.filter((end) => end.kind === 'unstarted')).toHaveLength(9);
    expect(tower.landings).toBe(1);
  });
});
