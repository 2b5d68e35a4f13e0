import { UnitOfWork } from '@libs/database';
import type { AttemptId } from '@libs/kernel';
import type { AttemptEnd } from '../../libs/sending/src/engine/outcome.policy';
import type { AttemptOutcome } from '../../libs/sending/src/engine/outcome.repository';
import { EngineRows, UNTOUCHED, type Waiting } from './engine-rows';
import { NOON } from './sending-process';

const SENT = { kind: 'sent', sesMessageId: 'ses-1' } as const;
const end = (kind: Exclude<AttemptEnd['kind'], 'sent'>): AttemptEnd => ({ kind, code: 'Code', message: 'Said so.' });
const UNSTARTED: AttemptEnd = { kind: 'unstarted', code: 'unstarted', message: 'Given back.' };

/** What the end of an attempt does to it, its message, the backlog and the doubts, on the statements themselves. */
describe('an outcome', () => {
  let rows: EngineRows;

  beforeAll(async () => {
    rows = await EngineRows.start();
  });
  afterAll(() => rows.close());

  const outcome = ({ id, tenantId }: Waiting, attemptId: AttemptId, how: AttemptEnd, at: Date): AttemptOutcome => ({
    tenantId,
    messageId: id,
    attemptId,
    end: how,
    at,
  });
  const apply = (message: Waiting, attemptId: AttemptId, how: AttemptEnd, at = NOON) =>
    rows.process.worker
      .get(UnitOfWork)
      .forEngine((unit) => rows.outcomes.within(unit).apply([outcome(message, attemptId, how, at)]));
  /** The message and the state of its attempts, after these ends of its first attempt. */
  const after = async (...ends: readonly AttemptEnd[]) => {
    const message = await rows.waiting();
    const { attempts } = await rows.claimed([message]);
    for (const how of ends) await apply(message, attempts[0]!.attemptId, how);
    const states = (await rows.attemptsOf([message.id])).map(({ state }) => state);
    return { message: await rows.rowOf(message), states };
  };
  const ended = (state: string, changes: object = {}) => ({
    ...UNTOUCHED,
    state,
    attemptNo: 1,
    waits: false,
    ...changes,
  });
  const again = (seconds: number) => ended('READY', { waits: true, waitS: seconds, dueS: seconds, detail: 'Said so.' });

  it.each([
    ['SES took it', [SENT], ended('SENT'), 'SENT'],
    ['SES refused it', [end('rejected')], ended('REJECTED', { detail: 'Said so.' }), 'REJECTED'],
    ['it was never started', [UNSTARTED], { ...again(0), waitS: null, dueS: null, detail: 'Given back.' }, 'NOT_SENT'],
    ['the account was too fast', [end('rate')], again(1), 'NOT_SENT'],
    ['nobody knows', [end('in-doubt')], ended('IN_DOUBT', { inDoubt: true, detail: 'Said so.' }), 'IN_DOUBT'],
    ['nobody knows, then SES took it', [end('in-doubt'), SENT], ended('SENT'), 'SENT'],
    ['nobody knows, then it is known not to have gone', [end('in-doubt'), end('unsent')], again(3), 'NOT_SENT'],
    [
      'nobody knows, twice',
      [end('in-doubt'), end('in-doubt')],
      ended('IN_DOUBT', { inDoubt: true, detail: 'Said so.' }),
      'IN_DOUBT',
    ],
    ['SES took it, whatever is said later', [SENT, end('rejected'), end('in-doubt'), UNSTARTED], ended('SENT'), 'SENT'],
    [
      'SES refused it, whatever is said later',
      [end('rejected'), SENT],
      ended('REJECTED', { detail: 'Said so.' }),
      'REJECTED',
    ],
    ['it waits again, whatever is said later', [end('rate'), end('in-doubt'), end('rejected')], again(1), 'NOT_SENT'],
  ])('%s', async (_, ends, message, state) => {
    expect(await after(...ends)).toEqual({ message, states: [state] });
  });

  it('that is said again changes nothing about since when nobody knows', async () => {
    const message = await rows.waiting();
    const { attempts } = await rows.claimed([message]);
    const [{ attemptId } = { attemptId: '' as AttemptId }] = attempts;
    await apply(message, attemptId, end('in-doubt'));
    await apply(message, attemptId, end('in-doubt'), new Date(NOON.getTime() + 60_000));
    const since =
      'SELECT a.ended_at AS attempt, d.ended_at AS doubt FROM attempt a JOIN in_doubt d ON d.attempt_id = a.id';
    expect(await rows.query(`${since} WHERE a.id = $1`, [attemptId])).toEqual([{ attempt: NOON, doubt: NOON }]);
  });

  it.each([SENT, end('rejected'), end('in-doubt'), UNSTARTED])(
    'of an attempt that is not the last one ($kind) leaves the message to the one that is',
    async (late) => {
      const message = await rows.waiting();
      const first = await rows.claimed([message]);
      // In doubt, then free to go again although nobody has heard of the first any more.
      await rows.query(`UPDATE message SET state = 'READY' WHERE id = $1`, [message.id]);
      await rows.claimed([message]);
      await apply(message, first.attempts[0]!.attemptId, late);
      expect(await rows.rowOf(message)).toEqual({ ...UNTOUCHED, state: 'INTENT', attemptNo: 2, waits: false });
      expect((await rows.attemptsOf([message.id])).map(({ state }) => state)).toEqual([
        { sent: 'SENT', rejected: 'REJECTED', 'in-doubt': 'IN_DOUBT', unstarted: 'NOT_SENT' }[late.kind as string],
        'INTENT',
      ]);
    },
  );

  it.each([end('rate'), end('in-doubt'), end('rejected'), UNSTARTED])(
    'after which a message waits ($kind) does not let it go again when an earlier attempt has turned out to be sent',
    async (late) => {
      const message = await rows.waiting();
      const first = await rows.claimed([message]);
      await rows.query(`UPDATE message SET state = 'READY' WHERE id = $1`, [message.id]);
      const second = await rows.claimed([message]);
      // Its Send event comes while the next attempt is on its way.
      await rows.query(`UPDATE attempt SET state = 'SENT' WHERE id = $1`, [first.attempts[0]!.attemptId]);
      await apply(message, second.attempts[0]!.attemptId, late);
      expect(await rows.rowOf(message)).toEqual(ended('SENT', { attemptNo: 2 }));
    },
  );

  it('lets a message go again and again while none of its attempts was sent', async () => {
    const message = await rows.waiting();
    for (let attemptNo = 1; attemptNo <= 3; attemptNo += 1) {
      const { attempts } = await rows.claimed([message]);
      await apply(message, attempts[0]!.attemptId, UNSTARTED);
      expect(await rows.rowOf(message)).toMatchObject({ state: 'READY', attemptNo, waits: true });
    }
  });

  it('that says so of an earlier attempt in the same write keeps the message from going again', async () => {
    const message = await rows.waiting();
    const first = await rows.claimed([message]);
    await apply(message, first.attempts[0]!.attemptId, end('in-doubt'));
    await rows.query(`UPDATE message SET state = 'READY' WHERE id = $1`, [message.id]);
    const second = await rows.claimed([message]);
    const both = [
      outcome(message, first.attempts[0]!.attemptId, SENT, NOON),
      outcome(message, second.attempts[0]!.attemptId, end('rate'), NOON),
    ];
    await rows.process.worker.get(UnitOfWork).forEngine((unit) => rows.outcomes.within(unit).apply(both));
    expect(await rows.rowOf(message)).toMatchObject({ state: 'SENT', waits: false, inDoubt: false });
  });

  it.each([SENT, end('rejected')])(
    'of a message that ended otherwise meanwhile ($kind) does not bring it back',
    async (late) => {
      const message = await rows.waiting();
      const { attempts } = await rows.claimed([message]);
      await rows.query(`UPDATE message SET state = 'CANCELED' WHERE id = $1`, [message.id]);
      await apply(message, attempts[0]!.attemptId, late);
      expect(await rows.rowOf(message)).toMatchObject({ state: 'CANCELED' });
    },
  );

  it('counts in its batch by what SES has or may have, refused or never saw', async () => {
    const messages = [];
    for (let i = 0; i < 6; i += 1) messages.push(await rows.waiting());
    const { batchId, attempts } = await rows.claimed(messages);
    const ends = [SENT, end('in-doubt'), end('rate'), UNSTARTED, end('rejected')];
    for (const [i, how] of ends.entries()) await apply(messages[i]!, attempts[i]!.attemptId, how);
    // Given back, so it goes with another batch: that one's.
    await rows.claimed([messages[3]!]);
    const usage = await rows.process.worker.get(UnitOfWork).forSystem(() => rows.outcomes.usage(batchId));
    const ofMessage = ({ tenantId }: Waiting) => {
      const { used, refused } = usage.find((one) => one.tenantId === tenantId) ?? {};
      return [used, refused];
    };
    // The last one is under way: SES may have it.
    expect(messages.map(ofMessage)).toEqual([
      [2, 0],
      [2, 0],
      [0, 2],
      [0, 0],
      [0, 2],
      [2, 0],
    ]);
    const open = await rows.process.worker.get(UnitOfWork).forSystem(() => rows.outcomes.openAttempts(batchId));
    expect(open.map(({ attemptId }) => attemptId)).toEqual([attempts[5]!.attemptId]);
  });

  it('closes a batch once, and counts what was said then', async () => {
    const { batchId } = await rows.claimed([await rows.waiting()]);
    const close = (used: number, at: Date) =>
      rows.process.worker
        .get(UnitOfWork)
        .forEngine((unit) => rows.outcomes.within(unit).settleBatches([{ batchId, used, at }]));
    await close(1, NOON);
    await close(0, new Date(NOON.getTime() + 1_000));
    expect(await rows.query('SELECT state, claimed, settled_at AS at FROM batch WHERE id = $1', [batchId])).toEqual([
      { state: 'SETTLED', claimed: 1, at: NOON },
    ]);
  });

  it('finds abandoned what was open until before that moment, the oldest first', async () => {
    const open = (batch: string, seconds: number) =>
      rows.query(`UPDATE batch SET slot_end = $2 WHERE id = $1`, [batch, new Date(NOON.getTime() - seconds * 1_000)]);
    await rows.query(`UPDATE batch SET state = 'SETTLED', settled_at = now() WHERE state = 'OPEN'`);
    const batches = [];
    for (const seconds of [80, 200, 79, 300]) {
      const { batchId } = await rows.claimed([await rows.waiting()]);
      batches.push(batchId);
      await open(batchId, seconds);
    }
    await rows.query(`UPDATE batch SET state = 'SETTLED', settled_at = now() WHERE id = $1`, [batches[3]]);
    const found = await rows.process.worker
      .get(UnitOfWork)
      .forSystem(() => rows.outcomes.abandoned(new Date(NOON.getTime() - 79_500), 10));
    expect(found.map(({ id, worker }) => [id, worker])).toEqual([
      [batches[1], 'w1'],
      [batches[0], 'w1'],
    ]);
  });
});
