import { newId, SystemClock, type AttemptId, type BatchId, type MessageId } from '@libs/kernel';
import { SendEngine, type Ticket } from '@libs/sending';
import fc from 'fast-check';
import type { RunningWorker } from '../../apps/worker/src/create-worker';
import { StagedCrash } from './staged-crash';

const STATES = ['SCHEDULED', 'READY', 'INTENT', 'SENT', 'REJECTED', 'IN_DOUBT', 'EXPIRED', 'CANCELED', 'SUPPRESSED'];
/** What may follow a state; a state may always stay. READY after IN_DOUBT is the resolver's, SENT the events'. */
const NEXT: Record<string, readonly string[]> = {
  SCHEDULED: ['READY', 'EXPIRED', 'CANCELED'],
  READY: ['INTENT', 'EXPIRED', 'CANCELED', 'SUPPRESSED', 'SENT', 'IN_DOUBT'],
  INTENT: ['READY', 'SENT', 'REJECTED', 'IN_DOUBT'],
  IN_DOUBT: ['READY', 'SENT', 'REJECTED'],
  EXPIRED: ['SENT'],
  CANCELED: ['SENT'],
  SENT: [],
  REJECTED: [],
  SUPPRESSED: [],
};

/** Every state that can follow, in any number of steps between two looks. */
function reachable(from: string): Set<string> {
  const found = new Set([from]);
  for (const state of found) for (const next of NEXT[state] ?? []) found.add(next);
  return found;
}

describe('the engine, whatever happens in whatever order', () => {
  let staged: StagedCrash;
  let other: RunningWorker;

  beforeAll(async () => {
    staged = await StagedCrash.start({ inDoubtAfterMs: 500 }, { maxSendRate: 400 });
    other = await staged.stack.createWorker();
  });
  afterAll(() => staged.close());

  const states = async (ids: readonly MessageId[]) => {
    const rows = await staged.stack.query<{ id: MessageId; state: string }>(
      'SELECT id, state FROM message WHERE id = ANY($1)',
      [ids],
    );
    return new Map(rows.map(({ id, state }) => [id, state]));
  };
  const ticketFor = (ids: readonly MessageId[]): Ticket => ({
    batchId: newId<BatchId>(),
    sendingAccountId: staged.account.id,
    epoch: String(staged.account.epoch),
    bucketStartMs: Math.floor(staged.ledger.nowMs() / 60_000) * 60_000,
    slotStartMs: staged.ledger.nowMs(),
    deadlineMs: staged.ledger.nowMs() + 5_000,
    granted: ids.length,
    rate: { num: 400, den: 1 },
    messages: ids.map((id) => ({ tenantId: staged.tenant, id, recipients: 1 })),
  });

  it('knows every state', () => {
    expect(Object.keys(NEXT).sort()).toEqual([...STATES].sort());
    expect(reachable('SENT')).toEqual(new Set(['SENT']));
  });

  it('lets all go that is due, and ends all whose time is over, not a page of them a second', async () => {
    const scheduledAt = new Date(new SystemClock().nowMs() + 3_600_000);
    const ids = await staged.stack.accept(staged.tenant, 'shop', 1_200, () => ({ scheduledAt }));
    await staged.stack.query('UPDATE backlog SET due_at = now() WHERE message_id = ANY($1)', [ids]);
    expect(await staged.engine.releaseAndExpire()).toEqual({ released: 1_200, expired: 0 });
    await staged.stack.query('UPDATE backlog SET expires_at = now() WHERE message_id = ANY($1)', [ids]);
    expect(await staged.engine.releaseAndExpire()).toEqual({ released: 0, expired: 1_200 });
    expect(new Set((await states(ids)).values())).toEqual(new Set(['EXPIRED']));
  });

  it('P13: takes no message a way that its states do not know, and none from SENT back', async () => {
    const steps = {
      send: async (ids: readonly MessageId[]) => {
        await staged.engine.dispatch(ticketFor(ids));
      },
      reset: async (ids: readonly MessageId[]) => {
        await staged.stack.aws.addFault({ operation: 'SendEmail', kind: 'accept-then-reset', count: 1 });
        await staged.engine.dispatch(ticketFor(ids));
      },
      throttle: async (ids: readonly MessageId[]) => {
        await staged.stack.aws.addFault({ operation: 'SendEmail', kind: '429', count: 1 });
        await staged.engine.dispatch(ticketFor(ids));
      },
      dieBeforeStart: async (ids: readonly MessageId[]) => {
        await leaveDead(ids, '');
      },
      dieAfterAnswer: async (ids: readonly MessageId[]) => {
        await leaveDead(ids, 'sent');
      },
      events: () => staged.applyEvents(),
      resolve: async () => {
        await staged.engine.resolveDoubts();
      },
      expire: async (ids: readonly MessageId[]) => {
        await staged.stack.query(`UPDATE backlog SET expires_at = now() WHERE message_id = $1`, [ids[0]]);
        await staged.engine.releaseAndExpire();
      },
      sweep: () => staged.engine.sweep(),
    };
    async function leaveDead(ids: readonly MessageId[], end: string): Promise<void> {
      const ready = [...(await states(ids))].filter(([, state]) => state === 'READY').map(([id]) => id);
      if (ready.length === 0) return;
      const ticket = ticketFor(ready);
      const attempts = await staged.deadClaim(ticket);
      const said = (id: AttemptId) => `S ${id}\nA ${id} ${end} ses-${id}\n`;
      staged.leaveRecord(ticket, end === '' ? '' : attempts.map(said).join(''));
      await staged.engine.sweep();
    }
    type Step = keyof typeof steps;
    const step = fc.constantFrom(...(Object.keys(steps) as Step[]));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (run) => {
        const ids = await staged.stack.accept(staged.tenant, 'shop', 3);
        let before = await states(ids);
        for (const name of run) {
          await steps[name](ids);
          const after = await states(ids);
          for (const [id, state] of after) {
            const allowed = reachable(before.get(id) ?? '');
            if (!allowed.has(state)) throw new Error(`${name}: from ${before.get(id) ?? ''} to ${state}`);
          }
          before = after;
        }
        // What waits stands in the backlog, what is in doubt among the doubts, and nothing else does.
        const [{ wrong } = { wrong: -1 }] = await staged.stack.query<{ wrong: number }>(
          `SELECT count(*)::int AS wrong FROM message m
             LEFT JOIN backlog b ON b.tenant_id = m.tenant_id AND b.message_id = m.id
             LEFT JOIN in_doubt d ON d.tenant_id = m.tenant_id AND d.message_id = m.id
            WHERE m.id = ANY($1) AND ((b.message_id IS NOT NULL) <> (m.state IN ('READY', 'SCHEDULED'))
               OR (d.message_id IS NOT NULL) <> (m.state = 'IN_DOUBT' AND m.settled_at IS NULL)
               OR b.sending_account_id <> m.sending_account_id)`,
          [ids],
        );
        expect(wrong).toBe(0);
        await staged.putAside(ids);
      }),
      { numRuns: 12, endOnFailure: true },
    );
    expect(await staged.sentWithoutIntent()).toBe(0);
  }, 120_000);

  it('P15: a batch is claimed at most once, and never after it was tombstoned, whoever is faster', async () => {
    await staged.stack.aws.clearFaults();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(['here', 'there', 'here again', 'tombstone'], { minLength: 2 }),
        async (order) => {
          const ids = await staged.stack.accept(staged.tenant, 'shop', 2);
          const ticket = ticketFor(ids);
          staged.leaveRecord(ticket, '');
          await Promise.all(
            order.map((who) => {
              if (who === 'tombstone') return staged.engine.sweep();
              const engine = who === 'there' ? other.app.get(SendEngine) : staged.engine;
              return engine.dispatch(ticket);
            }),
          );
          const attempts = await staged.stack.query<{ n: number }>(
            'SELECT count(*)::int AS n FROM attempt WHERE batch_id = $1',
            [ticket.batchId],
          );
          const { state } = (await staged.batch(ticket.batchId)) ?? { state: 'none' };
          const { lost, duplicated } = await staged.stack.judge(ids);
          expect(duplicated).toBe(0);
          // What a slot missed may come back unsent; what was void was never on its way.
          if (state === 'VOID') expect({ attempts: attempts[0]?.n, lost }).toEqual({ attempts: 0, lost: 2 });
          else expect({ state, attempts: attempts[0]?.n }).toEqual({ state: 'SETTLED', attempts: 2 });
          await staged.putAside(ids);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  }, 120_000);
});
