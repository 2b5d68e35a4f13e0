import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { EngineClock, ManualClock, newId, type TenantId } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { HeldSnapshotWatch, PartitionService, RetentionService, UpkeepModule } from '@libs/sending';
import { Test, type TestingModule } from '@nestjs/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { OfferLimits } from '../../libs/sending/src/offer-limits.service';
import { RampModule } from '../../libs/sending/src/upkeep/ramp.module';
import { RampService } from '../../libs/sending/src/upkeep/ramp.service';
import { ClockModule } from '../support/clock.module';
import { createTestDatabase, type TestDatabase } from '../support/database';

const DAY_MS = 86_400_000;
/** Before the days that the migration made, and over by PostgreSQL's own clock, which refuses to drop others. */
const NOON = Date.parse('2025-03-05T12:00:00.000Z');
const FLEET = '018f0000-0000-7000-8000-000000000001';

const clock = new ManualClock(NOON);

describe('the upkeep of the tables', () => {
  let database: TestDatabase;
  let source: DataSource;
  let module: TestingModule;
  let superuser: Client;
  let lines: string[];
  let partitions: PartitionService;
  let retention: RetentionService;
  let snapshots: HeldSnapshotWatch;

  beforeEach(async () => {
    database = await createTestDatabase();
    source = createDataSource({ url: database.urls.worker, applicationName: 'test-worker', poolSize: 4 });
    await source.initialize();
    superuser = new Client({ connectionString: database.superuserUrl });
    await superuser.connect();
    lines = [];
    clock.advance(NOON - clock.nowMs());
    module = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({ worker: source }),
        ClockModule.of(new EngineClock(clock)),
        ObservabilityModule.forRoot(
          new Log({ name: 'worker', level: 'info', write: (line) => lines.push(line) }),
          new Metrics('worker'),
        ),
        UpkeepModule.forRoot({ clock, heldSnapshotSeconds: 120 }),
        RampModule,
      ],
      providers: [OfferLimits],
    }).compile();
    partitions = module.get(PartitionService);
    retention = module.get(RetentionService);
    snapshots = module.get(HeldSnapshotWatch);
  });
  afterEach(async () => {
    await module.close();
    await source.destroy();
    await superuser.end();
    await database.drop();
  });

  async function sql<Row extends object>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await superuser.query<Row>(text, [...parameters])).rows;
  }
  const daysOf = async (table: string) =>
    (
      await sql<{ day: string }>(
        `SELECT right(c.relname, 8) AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = $1::regclass AND c.relname ~ '_p2025' ORDER BY 1`,
        [table],
      )
    ).map(({ day }) => day);

  async function plan(bodyDays: number, metadataDays: number): Promise<string> {
    const id = newId();
    await sql(
      `INSERT INTO plan (id, code, name, tier, streams, weight, recipients_per_day, body_retention_days, metadata_retention_days, created_at)
       VALUES ($1, $2, 'P', 'growth', '{TRANSACTIONAL}', 1, 1000000, $3, $4, now())`,
      [id, `p-${id}`, bodyDays, metadataDays],
    );
    return id;
  }

  async function tenant(planId: string): Promise<TenantId> {
    const id = newId<TenantId>();
    await sql(`INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, 'T', $2, 'ACTIVE', now())`, [
      id,
      planId,
    ]);
    return id;
  }

  const idAt = (ms: number) => {
    const hex = ms.toString(16).padStart(12, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8)}-${newId().slice(14)}`;
  };

  /** A message with a body, accepted that many days before noon. */
  async function message(tenantId: TenantId, daysAgo: number, waits = false): Promise<string> {
    const id = idAt(NOON - daysAgo * DAY_MS);
    await sql(
      `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at,
                            expires_at, sending_account_id, lane_id, state, settled_at)
       VALUES ($1, $2::uuid, 'LIVE', 'TRANSACTIONAL', 1, 10, 'a@b.example', 'S', $2::uuid::text, $3, $3, $4, $4, $5, $6)`,
      [tenantId, id, new Date(NOON), FLEET, waits ? 'READY' : 'SENT', waits ? null : new Date(NOON)],
    );
    await sql(`INSERT INTO message_body (tenant_id, message_id, content) VALUES ($1, $2, '{}')`, [tenantId, id]);
    if (waits) {
      await sql(
        `INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, expires_at)
         VALUES ($1, $2, 'LIVE', 'TRANSACTIONAL', $3, 1, false, $4)`,
        [tenantId, id, FLEET, new Date(NOON)],
      );
    }
    return id;
  }
  const makeDays = (from: string, days: number) => sql('SELECT create_day_partitions($1::date, $2)', [from, days]);
  const bodies = async () =>
    (await sql<{ message_id: string }>('SELECT message_id FROM message_body ORDER BY 1')).map((row) => row.message_id);

  it('makes partitions from yesterday to a week ahead, once, and goes on as days pass', async () => {
    expect(await partitions.createAhead()).toBe(9 * 7);
    expect((await daysOf('message')).at(0)).toBe('20250304');
    expect((await daysOf('message')).at(-1)).toBe('20250312');
    expect(await partitions.createAhead()).toBe(0);
    clock.advance(DAY_MS);
    expect(await partitions.createAhead()).toBe(7);
    expect((await daysOf('message_event')).at(-1)).toBe('20250313');
  });

  it('makes each table once when several processes want it at once', async () => {
    const made = await Promise.all([1, 2, 3].map(() => partitions.createAhead()));
    expect(made.reduce((sum, n) => sum + n)).toBeLessThanOrEqual(9 * 7);
    await partitions.createAhead();
    expect(await daysOf('attempt')).toHaveLength(9);
    expect(lines.filter((line) => line.includes('could not be made'))).toEqual([]);
  });

  it('raises an alarm when rows found no day, and makes the other days all the same', async () => {
    expect(await partitions.watchDefaults()).toEqual([]);
    await message(await tenant(await plan(7, 90)), 0);
    await sql('SELECT pg_stat_force_next_flush()');
    await sql('SELECT 1');
    const landed = await partitions.watchDefaults();
    expect(landed).toEqual(['message_body_default', 'message_default']);
    expect(await partitions.watchDefaults()).toEqual([]);
    expect(await partitions.createAhead()).toBe(8 * 7);
    expect(await daysOf('message')).not.toContain('20250305');
    expect(lines.some((line) => line.includes('could not be made') && line.includes('2025-03-05'))).toBe(true);
  });

  it('drops days that every plan in use is through with: content before the rest, attempts last', async () => {
    await makeDays('2024-11-23', 4);
    await makeDays('2025-02-01', 33);
    const first = async (table: string) => (await daysOf(table)).at(0);
    expect(await retention.apply(null)).toEqual({ dropped: 0, erased: 0 });
    await tenant(await plan(2, 5));
    await tenant(await plan(4, 30));
    await plan(400, 800);
    await retention.apply(null);
    expect(await first('message_body')).toBe('20250301');
    expect(await first('message')).toBe('20250203');
    expect(await first('recipient')).toBe('20250203');
    expect(await first('message_tag')).toBe('20250203');
    expect(await first('message_event')).toBe('20250203');
    expect(await first('batch')).toBe('20250203');
    const attempts = await sql<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relname LIKE 'attempt_p20%' ORDER BY 1 LIMIT 1`,
    );
    expect(attempts).toEqual([{ name: 'attempt_p20241125' }]);
  });

  it('leaves a day that is in use to a later run, drops the others, and nobody who writes waits for it', async () => {
    await makeDays('2025-01-20', 1);
    const own = await tenant(await plan(2, 5));
    const indexing = new Client({ connectionString: database.superuserUrl });
    await indexing.connect();
    try {
      // As CREATE INDEX CONCURRENTLY holds it for as long as it takes.
      await indexing.query('BEGIN; LOCK TABLE message_p20250120 IN SHARE UPDATE EXCLUSIVE MODE');
      await sql(`SET lock_timeout = '2s'`);
      let ended = false;
      const run = retention.apply(null).finally(() => (ended = true));
      const written = async () => {
        while (!ended) await message(own, 1);
      };
      const [result] = await Promise.all([run, written()]);
      expect(result).toMatchObject({ dropped: 5 });
      expect(lines.filter((line) => line.includes('are in use'))).toHaveLength(1);
      await indexing.query('COMMIT');
      expect(await retention.apply(null)).toMatchObject({ dropped: 1 });
    } finally {
      await indexing.end();
    }
  });

  it('drops days although somebody reads all of them at every moment', async () => {
    await makeDays('2025-01-20', 2);
    await tenant(await plan(2, 5));
    const readers = [0, 1, 2].map(() => new Client({ connectionString: database.superuserUrl }));
    await Promise.all(readers.map((reader) => reader.connect()));
    try {
      let ended = false;
      const run = retention.apply(null).finally(() => (ended = true));
      const reads = readers.map(async (reader) => {
        while (!ended) {
          for (const table of ['message', 'recipient', 'batch'])
            await reader.query(`SELECT count(*), pg_sleep(0.01) FROM ${table}`);
        }
      });
      const [result] = await Promise.all([run, ...reads]);
      expect(result).toMatchObject({ dropped: 12 });
    } finally {
      await Promise.all(readers.map((reader) => reader.end()));
    }
  });

  it('keeps attempts that bills still need, says so, and notes what it has dropped', async () => {
    await makeDays('2024-11-01', 30);
    await tenant(await plan(2, 5));
    const first = async () =>
      (
        await sql<{ name: string }>(
          `SELECT relname AS name FROM pg_class WHERE relname LIKE 'attempt_p20%' ORDER BY 1 LIMIT 1`,
        )
      )[0]?.name;
    const weighed = async (id: string) => sql('INSERT INTO message_attachment VALUES ($1, $2, 10)', [newId(), id]);
    await weighed(idAt(Date.parse('2024-11-09T12:00:00Z')));
    await weighed(idAt(Date.parse('2024-11-10T12:00:00Z')));
    await retention.apply('2024-11-10');
    expect(await first()).toBe('attempt_p20241110');
    expect(await sql('SELECT * FROM message_attachment')).toHaveLength(1);
    expect(lines.some((line) => line.includes('bills still need them'))).toBe(true);
    const noted = () => sql(`SELECT before::text AS before FROM dropped_days WHERE parent = 'attempt'`);
    expect(await noted()).toEqual([{ before: '2024-11-10' }]);
    await retention.apply(null);
    expect(await first()).toBe('attempt_p20241125');
    expect(await noted()).toEqual([{ before: '2024-11-25' }]);
    await retention.apply('2024-11-10');
    expect(await noted()).toEqual([{ before: '2024-11-25' }]);
  });

  it('keeps the day of a message that still waits, with its content, and drops it once it went', async () => {
    await makeDays('2025-02-01', 40);
    const own = await tenant(await plan(2, 5));
    const waiting = await message(own, 20, true);
    await message(own, 20);
    const later = await message(own, 10);
    expect(await retention.apply(null)).toMatchObject({ erased: 2 });
    expect((await daysOf('message')).at(0)).toBe('20250213');
    expect((await daysOf('message_body')).at(0)).toBe('20250213');
    expect(await bodies()).toEqual([waiting]);
    expect(await sql('SELECT id FROM message WHERE id = $1', [later])).toHaveLength(1);
    await sql('DELETE FROM backlog');
    await retention.apply(null);
    expect((await daysOf('message')).at(0)).toBe('20250228');
    expect(await bodies()).toEqual([]);
  });

  it('erases the content of plans that keep it shorter, page by page, and leaves the rest of the message', async () => {
    await makeDays('2025-02-20', 20);
    const short = await tenant(await plan(1, 90));
    const long = await tenant(await plan(10, 90));
    for (let i = 0; i < 1_100; i += 1) {
      await sql(`INSERT INTO message_body (tenant_id, message_id, content) VALUES ($1, $2, '{}')`, [
        short,
        idAt(NOON - 3 * DAY_MS),
      ]);
    }
    await sql(
      `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at,
                            expires_at, sending_account_id, lane_id, state, settled_at)
       SELECT tenant_id, message_id, 'LIVE', 'TRANSACTIONAL', 1, 1, 'a@b.example', 'S', message_id::text, now(), now(), $1, $1, 'SENT', now()
         FROM message_body`,
      [FLEET],
    );
    const kept = [await message(short, 0.4), await message(long, 3), await message(short, 3, true)].sort();
    expect(await retention.apply(null)).toMatchObject({ erased: 1_100 });
    expect(await bodies()).toEqual(kept);
    expect(await sql('SELECT id FROM message')).toHaveLength(1_103);
    expect(await retention.apply(null)).toMatchObject({ erased: 0 });
  });

  it('raises an alarm when a transaction is held open while others pass, and says whose', async () => {
    const holder = new Client({ connectionString: database.urls.admin, application_name: 'report' });
    await holder.connect();
    try {
      expect(await snapshots.watch()).toBeUndefined();
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await holder.query('SELECT 1');
      expect(await snapshots.watch()).toBeUndefined();
      clock.advance(200_000);
      expect(await snapshots.watch()).toBeUndefined();
      await sql(`DO $$ BEGIN FOR i IN 1..1100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`);
      expect(await snapshots.watch()).toMatchObject({ name: expect.stringMatching(/^session \d+ report$/) as string });
      await snapshots.watch();
      expect(lines.filter((line) => line.includes('held open'))).toHaveLength(1);
      await holder.query('COMMIT');
      expect(await snapshots.watch()).toBeUndefined();
    } finally {
      await holder.end();
    }
  });

  it('allows a day what the highest of the seven days before it grew to', async () => {
    await makeDays('2025-02-20', 20);
    const ramp = module.get(RampService);
    const uow = module.get(UnitOfWork);
    const planId = await plan(7, 90);
    const [fresh, steady, old, test] = [
      await tenant(planId),
      await tenant(planId),
      await tenant(planId),
      await tenant(planId),
    ];
    const sent = async (to: TenantId, daysAgo: number, recipients: number, mode = 'LIVE', state = 'SENT') => {
      for (let left = recipients; left > 0; left -= 30_000) {
        const at = NOON - daysAgo * DAY_MS;
        await sql(
          `INSERT INTO attempt (tenant_id, message_id, attempt_no, id, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, created_at, state)
           VALUES ($1, $2, 1, $2, $3, $3, $3, $4, 'MARKETING', $5, 1, $6, $7)`,
          [to, idAt(at), FLEET, mode, Math.min(left, 30_000), new Date(at), state],
        );
      }
    };
    await sent(steady, 1, 60_000);
    await sent(steady, 2, 80_000);
    await sent(steady, 0, 300_000);
    await sent(steady, 3, 300_000, 'LIVE', 'REJECTED');
    await sent(old, 8, 300_000);
    await sent(test, 1, 300_000, 'TEST');
    const all = [fresh, steady, old, test];
    const allowed = async () => {
      const answer = await uow.forSystem(() => ramp.allowance([...all, newId<TenantId>()]));
      return all.map((id) => answer.get(id));
    };
    const floor = { recipients: 50_000n, limit: 'RAMP' };
    expect(await allowed()).toEqual([floor, { recipients: 240_000n, limit: 'RAMP' }, floor, floor]);
    clock.advance(DAY_MS);
    expect((await allowed())[1]).toEqual({ recipients: 900_000n, limit: 'RAMP' });
    await sql(`UPDATE plan SET recipients_per_day = 100000 WHERE id = $1`, [planId]);
    expect((await allowed())[1]).toMatchObject({ limit: 'RAMP' });
    clock.advance(11_000);
    expect(await allowed()).toEqual([floor, { recipients: 100_000n, limit: 'PLAN' }, floor, floor]);
    // Noon of that day: the clock was ahead, and is set back by an hour.
    await sql(`UPDATE plan SET recipients_per_day = 90000 WHERE id = $1`, [planId]);
    clock.advance(-3_600_000);
    expect((await allowed())[1]).toEqual({ recipients: 90_000n, limit: 'PLAN' });
  });

  it('lets what is offered follow a ramp as soon as the ramp itself is read anew', async () => {
    const id = await tenant(await plan(7, 90));
    const offers = module.get(OfferLimits);
    const offered = async () => (await offers.of(id, { weight: 1, dayCap: null, rate: null })).dayCap;
    expect(await offered()).toBe(50_000n);
    clock.advance(3_000);
    expect(await offered()).toBe(50_000n);
    await sql(`UPDATE tier SET ramp_floor = 70000 WHERE code = 'growth'`);
    clock.advance(3_000);
    expect(await offered()).toBe(70_000n);
  });

  it('reads a ramp no more often where very many tenants are asked for at once', async () => {
    const one = await tenant(await plan(7, 90));
    const { rows } = await superuser.query<{ id: TenantId }>(
      `INSERT INTO tenant (id, name, plan_id, state, created_at)
       SELECT gen_random_uuid(), 'T', plan_id, 'ACTIVE', created_at FROM tenant, generate_series(1, 50001) WHERE id = $1 RETURNING id`,
      [one],
    );
    const ids = rows.map(({ id }) => id);
    const floor = async () => {
      const answer = await module.get(UnitOfWork).forSystem(() => module.get(RampService).allowance(ids));
      return [answer.size, answer.get(ids[0]!)?.recipients];
    };
    expect(await floor()).toEqual([50_001, 50_000n]);
    await sql(`UPDATE tier SET ramp_floor = 70000 WHERE code = 'growth'`);
    expect(await floor()).toEqual([50_001, 50_000n]);
    clock.advance(5_000);
    expect(await floor()).toEqual([50_001, 70_000n]);
  });
});
