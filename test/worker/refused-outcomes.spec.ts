import type { MessageId } from '@libs/kernel';
import type { Client } from 'pg';
import { waitFor } from '../support/wait-for';
import { StagedCrash } from './staged-crash';

interface Row {
  readonly state: string;
  readonly settled: boolean;
  readonly attempt: string;
  readonly sesMessageId: string | null;
}

/** One outcome that PostgreSQL refuses for what it says: all others are written, and that one is sent no more. */
describe('an outcome that PostgreSQL refuses', () => {
  let staged: StagedCrash;
  let superuser: Client;

  beforeAll(async () => {
    staged = await StagedCrash.start({ inDoubtAfterMs: 600_000 });
    superuser = await staged.superuser();
    await superuser.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`);
  });
  afterAll(async () => {
    await superuser.end();
    await staged.close();
  });

  const check = (table: string, condition: string) => ({
    add: `ALTER TABLE ${table} ADD CONSTRAINT odd CHECK (${condition})`,
    drop: `ALTER TABLE ${table} DROP CONSTRAINT odd`,
  });
  const trigger = (table: string, when: string) => ({
    add: `CREATE TRIGGER odd BEFORE UPDATE ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION refuse()`,
    drop: `DROP TRIGGER odd ON ${table}`,
  });
  const rowOf = async (id: MessageId) => {
    const [row] = await staged.stack.query<Row>(
      `SELECT m.state, m.settled_at IS NOT NULL AS settled, a.state AS attempt, a.ses_message_id AS "sesMessageId"
         FROM message m JOIN attempt a ON a.message_id = m.id WHERE m.id = $1`,
      [id],
    );
    return row;
  };
  const expectOthersDone = async (ids: readonly MessageId[], odd: MessageId, stored: string) => {
    expect(await staged.statesOf(ids.filter((id) => id !== odd))).toEqual(['SENT']);
    expect(staged.stack.logLines.filter((line) => line.includes(odd)).join('\n')).toMatch(
      new RegExp(`"stored":"${stored}"`),
    );
    await staged.engine.feed();
    expect(await staged.listed()).toBe(0);
    expect((await staged.stack.judge(ids)).duplicated).toBe(0);
  };

  it.each([
    {
      what: 'for the id that SES gave is stored without it',
      odd: (id: string) => check('attempt', `message_id <> '${id}' OR ses_message_id IS NULL`),
      row: { state: 'SENT', settled: true, attempt: 'SENT', sesMessageId: null },
      stored: 'without-words',
    },
    {
      what: 'for what it means leaves its message in doubt for good',
      odd: (id: string) => check('message', `id <> '${id}' OR state <> 'SENT'`),
      row: { state: 'IN_DOUBT', settled: true, attempt: 'IN_DOUBT', sesMessageId: null },
      stored: 'in-doubt',
    },
    {
      what: 'whatever it says leaves its message where nobody sends it',
      odd: (id: string) => trigger('attempt', `old.message_id = '${id}'`),
      row: { state: 'INTENT', settled: false, attempt: 'INTENT', sesMessageId: null },
      stored: 'nothing',
    },
  ])('$what', async ({ odd, row, stored }) => {
    const { ids, ticket } = await staged.granted(9);
    const [, , one] = ids as [MessageId, MessageId, MessageId];
    const { add, drop } = odd(one);
    await superuser.query(add);
    await staged.engine.dispatch(ticket);
    expect(await rowOf(one)).toEqual(row);
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 9 });
    expect(staged.engine.load).toEqual({ batches: 0, outcomes: 0 });
    await expectOthersDone(ids, one, stored);
    await superuser.query(drop);
    await staged.putAside(ids);
  });

  it('keeps no batch of a dead worker from being replayed', async () => {
    const { ids, ticket } = await staged.granted(3);
    const attempts = await staged.deadClaim(ticket);
    const [one] = ticket.messages.map(({ id }) => id) as [MessageId];
    staged.leaveRecord(ticket, attempts.map((id) => `S ${id}\nA ${id} sent 0100-${id}\n`).join(''));
    const { add, drop } = check('message', `id <> '${one}' OR state <> 'SENT'`);
    await superuser.query(add);
    await staged.engine.recover();
    expect(await rowOf(one)).toMatchObject({ state: 'IN_DOUBT', settled: true });
    expect(await staged.batch(ticket.batchId)).toEqual({ state: 'SETTLED', claimed: 3 });
    await expectOthersDone(ids, one, 'in-doubt');
    await superuser.query(drop);
    await staged.putAside(ids);
  });

  it('keeps no grant from being given back when it is the end of a dead worker’s batch', async () => {
    const dead = await staged.granted(1);
    const { ids, ticket } = await staged.granted(1);
    await staged.deadClaim(dead.ticket);
    staged.leaveRecord(dead.ticket, '');
    const { add, drop } = check('batch', `id <> '${dead.ticket.batchId}' OR state = 'OPEN'`);
    await superuser.query(add);
    await waitFor(
      async () => {
        await expect(staged.engine.sweep()).rejects.toThrow(/odd/);
        return (await staged.batch(ticket.batchId))?.state === 'VOID';
      },
      { what: 'the grant that nobody claimed to be given back', everyMs: 200 },
    );
    await superuser.query(drop);
    await staged.engine.sweep();
    expect(await staged.batch(dead.ticket.batchId)).toMatchObject({ state: 'SETTLED' });
    expect(await staged.statesOf(dead.ids)).toEqual(['READY']);
    await staged.putAside([...ids, ...dead.ids]);
  });

  it('keeps no other batch from being closed when it is the end of a batch', async () => {
    const first = await staged.granted(2);
    const second = await staged.granted(2);
    const { add, drop } = check('batch', `id <> '${first.ticket.batchId}' OR state = 'OPEN'`);
    await superuser.query(add);
    await Promise.all([staged.engine.dispatch(first.ticket), staged.engine.dispatch(second.ticket)]);
    expect(await staged.statesOf([...first.ids, ...second.ids])).toEqual(['SENT']);
    expect(await staged.batch(first.ticket.batchId)).toMatchObject({ state: 'OPEN' });
    expect(await staged.batch(second.ticket.batchId)).toMatchObject({ state: 'SETTLED' });
    await superuser.query(drop);
  });
});
