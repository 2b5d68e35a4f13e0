import { UnitOfWork } from '@libs/database';
import { SuppressionService } from '@libs/deliverability';
import { EngineClock, newId, newIdAt, SystemClock, type Clock, type EventId, type MessageId } from '@libs/kernel';
import { Ledger } from '@libs/quota';
import { SendEngine } from '@libs/sending';
import { Redis } from 'ioredis';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { Readiness } from '../../apps/worker/src/health/readiness.service';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

const HOUR_MS = 3_600_000;

/** A host's clock that is set to whatever a test wants. */
class HostClock extends SystemClock implements Clock {
  aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }

  override now(): Date {
    return new Date(this.nowMs());
  }
}

/** One host of several whose clock is off: it must neither end mail nor keep others from sending it. */
describe('a worker whose clock is wrong', () => {
  let staged: StagedCrash;

  beforeAll(async () => {
    staged = await StagedCrash.start();
  });
  afterAll(() => staged.close());

  const engineOf = ({ app }: RunningWorker) => app.get(SendEngine);
  const onHost = async (aheadMs: number) => {
    const host = new HostClock();
    host.aheadMs = aheadMs;
    const worker = await staged.stack.createWorker({}, `off-${String(aheadMs)}`, new EngineClock(host));
    return { host, worker, engine: engineOf(worker) };
  };
  const isRightAgain = (engine: SendEngine, worker: RunningWorker) =>
    waitFor(
      async () => {
        await engine.keepLedgers();
        const missing = await worker.app.get(Readiness).missing();
        return missing.every(({ name }) => name !== 'clock');
      },
      { what: 'the clocks to agree again', everyMs: 100 },
    );

  it('from its start on expires nothing, releases nothing and takes nothing of others for abandoned', async () => {
    const { worker, engine } = await onHost(HOUR_MS);
    const { ids: flying, ticket } = await staged.granted(2);
    await staged.deadClaim(ticket, 'a worker elsewhere');
    const inMs = (ms: number) => new Date(new SystemClock().nowMs() + ms);
    const waiting = await staged.stack.accept(staged.tenant, 'shop', 1, () => ({ expiresAt: inMs(HOUR_MS / 2) }));
    const later = await staged.stack.accept(staged.tenant, 'shop', 1, () => ({ scheduledAt: inMs(HOUR_MS / 2) }));

    await engine.recover();
    await engine.releaseAndExpire();
    await engine.sweep();
    await engine.resolveDoubts();
    expect(await staged.statesOf(waiting)).toEqual(['READY']);
    expect(await staged.statesOf(later)).toEqual(['SCHEDULED']);
    expect(await staged.statesOf(flying)).toEqual(['INTENT']);
    expect(staged.stack.logLines.join('\n')).toMatch(
      /3600 s ahead of that of Redis: set both by NTP.*the clocks disagree/,
    );
    expect(await worker.app.get(Readiness).missing()).toEqual([
      { name: 'clock', why: 'the clock of this host is 3600 s ahead of that of Redis: set both by NTP' },
    ]);
    await staged.stack.stopWorker(worker);
    await staged.putAside([...waiting, ...later, ...flying]);
  });

  it('ends nothing either that it looks at before it has noticed that its clock was set', async () => {
    const { host, worker, engine } = await onHost(0);
    await engine.recover();
    await worker.app.get(Ledger, { strict: false }).acquire(staged.account.id, staged.request());
    const ids = await staged.stack.accept(staged.tenant, 'shop', 1);
    host.aheadMs = 2 * HOUR_MS;
    await engine.releaseAndExpire();
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    await staged.stack.stopWorker(worker);
    await staged.putAside(ids);
  });

  it('of an api: mail that was given ids of an hour from now is fed as soon as other mail', async () => {
    const [id] = await staged.stack.accept(staged.tenant, 'shop', 1);
    await waitFor(async () => (await staged.listed()) === 1, { what: 'the offer' });
    await staged.ledger.drop(staged.account.id, staged.tenant, 'TRANSACTIONAL');
    const inAnHour = (new SystemClock().nowMs() + HOUR_MS).toString(16).padStart(12, '0');
    const ahead = `${inAnHour.slice(0, 8)}-${inAnHour.slice(8)}-7000-8000-000000000001` as MessageId;
    await staged.stack.query('UPDATE backlog SET message_id = $1 WHERE message_id = $2', [ahead, id]);
    const usual = await staged.stack.accept(staged.tenant, 'shop', 1);
    await waitFor(async () => (await staged.engine.feed(), (await staged.listed()) === 2), {
      what: 'both to be listed',
      everyMs: 200,
    });
    await staged.putAside([...usual, ahead]);
  });

  it('is no reason to be silent where it is that of Redis, or of a ledger: it is said of which account nothing is granted', async () => {
    const { worker, engine } = await onHost(0);
    const ledger = `pf:{${staged.account.id}}:led`;
    const redis = new Redis(staged.stack.redis.url);
    const last = await redis.hget(ledger, 'last');
    await redis.hset(ledger, 'last', String((staged.ledger.nowMs() + 20_000) * 1_000));
    await engine.recover();
    await engine.tendPumps();
    await waitFor(
      () => staged.stack.logLines.some((line) => /nothing is granted/.test(line) && line.includes(staged.account.id)),
      { what: 'the pump to say so' },
    );
    await staged.stack.stopWorker(worker);
    await redis.hset(ledger, 'last', last ?? '0');
    redis.disconnect();
  });

  it('gives back the ticket that it is handed and takes no other until its clock is right', async () => {
    const { host, worker, engine } = await onHost(-HOUR_MS);
    await engine.recover();
    const before = await staged.used();
    const { ids, ticket } = await staged.granted(2);
    let isTaken = false;
    const taken = engine.take(ticket).then(() => (isTaken = true));
    await waitFor(async () => (await staged.used()) === before, { what: 'the grant to be given back' });
    expect(await staged.batch(ticket.batchId)).toMatchObject({ state: 'VOID' });
    expect(isTaken).toBe(false);
    host.aheadMs = 0;
    await isRightAgain(engine, worker);
    await taken;
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect((await staged.stack.judge(ids)).lost).toBe(2);
    await staged.stack.stopWorker(worker);
    await staged.putAside(ids);
  });

  it('suppresses an address for mail that was accepted before, also where another was suppressed meanwhile', async () => {
    const { worker } = await onHost(-HOUR_MS);
    const halfAnHourAgo = new SystemClock().nowMs() - HOUR_MS / 2;
    await staged.stack.query(
      `INSERT INTO suppression (tenant_id, id, address, reason, created_at) VALUES ($1, $2, 'eve@inbox.example', 'manual', $3)`,
      [staged.tenant, newIdAt(halfAnHourAgo, 0), new Date(halfAnHourAgo)],
    );
    const { ids, ticket } = await staged.granted(1);
    const [to] = await staged.stack.query<{ address: string }>(
      'SELECT address FROM recipient WHERE message_id = $1',
      ids,
    );
    const { tenant: tenantId } = staged;
    const news = { tenantId, address: to!.address, reason: 'bounce', cause: newId<EventId>() } as const;
    const uow = worker.app.get(UnitOfWork);
    await uow.forSystem(() => worker.app.get(SuppressionService, { strict: false }).addFromEvents([news]));
    await staged.engine.take(ticket);
    expect(await staged.statesOf(ids)).toEqual(['SUPPRESSED']);
    await staged.stack.stopWorker(worker);
  });

  it('waits for no slot that was given while all clocks were ahead: its mail is ready again at once', async () => {
    const { ids, ticket } = await staged.granted(2);
    const [slotStartMs, deadlineMs] = [ticket.slotStartMs + HOUR_MS, ticket.deadlineMs + HOUR_MS];
    await staged.engine.dispatch({ ...ticket, slotStartMs, deadlineMs });
    expect(await staged.statesOf(ids)).toEqual(['READY']);
    expect(await staged.stack.judge(ids)).toEqual({ lost: 2, duplicated: 0 });
    expect(await staged.batch(ticket.batchId)).toMatchObject({ state: 'SETTLED' });
    await staged.putAside(ids);
  });

  it('keeps no lock from those whose clocks are right: all mail goes, once', async () => {
    const { worker: wrong } = await onHost(-HOUR_MS / 6);
    await wrong.worker.start();
    // Accepted while nobody else could send it.
    const first = await staged.stack.accept(staged.tenant, 'shop', 20);
    const right = await staged.stack.startWorker();
    const second = await staged.stack.accept(staged.tenant, 'shop', 20);
    const ids = [...first, ...second];
    await waitFor(async () => (await staged.statesOf(ids)).join() === 'SENT', {
      what: 'everything to be sent',
      withinMs: 30_000,
      everyMs: 200,
    });
    expect(await staged.stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
    await staged.stack.stopWorker(right);
    await staged.stack.stopWorker(wrong);
  });
});
