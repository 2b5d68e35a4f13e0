import {
  binaryTexts,
  checkWrites,
  createDataSource,
  DatabaseReadOnly,
  NoUnitOfWork,
  TenantSwitch,
  UnitOfWork,
  type Statements,
} from '@libs/database';
import { newId, type PlanId, type SuppressionId, type TenantId } from '@libs/kernel';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe('a unit of work', () => {
  let database: TestDatabase;
  let app: DataSource;
  let admin: DataSource;
  let worker: DataSource;
  let uow: UnitOfWork;
  const dirty: string[] = [];
  const tenants: TenantId[] = [newId<TenantId>(), newId<TenantId>()];
  const [ann, bob] = tenants as [TenantId, TenantId];
  const at = new Date('2026-01-01T00:00:00Z');

  const suppress = (tenant: TenantId, address: string) =>
    uow.query('INSERT INTO suppression (tenant_id, id, address, reason, created_at) VALUES ($1, $2, $3, $4, $5)', [
      tenant,
      newId<SuppressionId>(),
      address,
      'test',
      at,
    ]);
  const addresses = async () =>
    (await uow.query<{ address: string }>('SELECT address FROM suppression ORDER BY 1')).map((row) => row.address);

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createDataSource({
      url: database.urls.app,
      applicationName: 'test',
      poolSize: 1, // one connection, so that anything left on it would be seen by the next request
      onDirtyRelease: (status) => dirty.push(status),
    });
    admin = createDataSource({ url: database.urls.admin, applicationName: 'test', poolSize: 2 });
    worker = createDataSource({ url: database.urls.worker, applicationName: 'test', poolSize: 2 });
    await Promise.all([app.initialize(), admin.initialize(), worker.initialize()]);
    uow = new UnitOfWork({ app, admin });
    const plan = newId<PlanId>();
    await uow.forSystem(async () => {
      await uow.query(
        `INSERT INTO plan (id, code, name, tier, streams, weight, created_at) VALUES ($1, 'p', 'P', 'free', '{TRANSACTIONAL}', 1, $2)`,
        [plan, at],
      );
      for (const tenant of tenants) {
        await uow.query(
          `INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, 'T', $2, 'ACTIVE', $3)`,
          [tenant, plan, at],
        );
      }
    });
    await uow.forTenant(ann, () => suppress(ann, 'ann@example.com'));
    await uow.forTenant(bob, () => suppress(bob, 'bob@example.com'));
  });

  afterAll(async () => {
    await Promise.all([app.destroy(), admin.destroy(), worker.destroy()]);
    await database.drop();
  });

  it('shows a tenant its own rows, one tenant after another on the same connection', async () => {
    expect(await uow.forTenant(ann, addresses)).toEqual(['ann@example.com']);
    expect(await uow.forTenant(bob, addresses)).toEqual(['bob@example.com']);
  });

  it('shows nothing where no tenant is set', async () => {
    expect(await uow.forEdge(addresses)).toEqual([]);
  });

  it('shows an operator every tenant', async () => {
    expect(await uow.forSystem(addresses)).toEqual(['ann@example.com', 'bob@example.com']);
  });

  it('refuses to write another tenant’s row', async () => {
    await expect(uow.forTenant(ann, () => suppress(bob, 'x@example.com'))).rejects.toThrow(/row-level security/);
  });

  it('makes a tenant left on the session worthless in the next transaction', async () => {
    await app.query('SELECT set_config($1, $2, false), set_config($3, extract(epoch FROM now())::text, false)', [
      'app.tenant',
      ann,
      'app.tenant_at',
    ]);
    expect(await app.query('SELECT address FROM suppression')).toEqual([]);
    expect(await uow.forEdge(addresses)).toEqual([]);
  });

  it('never changes its tenant, and joins when asked for the same one', async () => {
    await expect(uow.forTenant(ann, () => uow.forTenant(bob, addresses))).rejects.toThrow(TenantSwitch);
    await expect(uow.forTenant(ann, () => uow.forSystem(addresses))).rejects.toThrow(TenantSwitch);
    expect(await uow.forTenant(ann, () => uow.forTenant(ann, addresses))).toEqual(['ann@example.com']);
  });

  it('confines a customer’s whole request to its tenant', async () => {
    await uow.confine(ann, async () => {
      await expect((async () => uow.forSystem(addresses))()).rejects.toThrow(TenantSwitch);
      await expect((async () => uow.forTenant(bob, addresses))()).rejects.toThrow(TenantSwitch);
      expect(await uow.forTenant(ann, addresses)).toEqual(['ann@example.com']);
    });
  });

  it('works for several tenants in one transaction, and each statement sees the rows of its own only', async () => {
    const parts = await uow.forTenants([ann, bob], () =>
      Promise.all(
        [ann, bob, bob, ann].map((tenant, n) =>
          uow.forTenant(tenant, async () => {
            const [unit] = await uow.query<{ unit: string }>('SELECT pg_current_xact_id()::text AS unit');
            const before = await addresses();
            await suppress(tenant, `${String(n)}@example.com`);
            return { unit: unit?.unit, before, after: await addresses() };
          }),
        ),
      ),
    );
    expect(new Set(parts.map(({ unit }) => unit)).size).toBe(1);
    expect(parts.map(({ before }) => before)).toEqual(
      ['ann', 'bob', 'bob', 'ann'].map((name) => [`${name}@example.com`]),
    );
    const [anns, bobs] = [
      ['0@example.com', '3@example.com', 'ann@example.com'],
      ['1@example.com', '2@example.com', 'bob@example.com'],
    ];
    // Whether a part sees what another of its tenant's wrote depends on who was first.
    for (const [n, { after }] of parts.entries()) {
      expect(after).toContain(`${String(n)}@example.com`);
      expect([anns, bobs, bobs, anns][n]).toEqual(expect.arrayContaining(after));
    }
    const forget = () => uow.query("DELETE FROM suppression WHERE address ~ '^[0-9]'");
    await uow.forTenant(ann, forget);
    await uow.forTenant(bob, forget);
  });

  it('refuses another tenant’s row among several, and takes all of them back', async () => {
    const work = uow.forTenants([ann, bob], async () => {
      await uow.forTenant(bob, () => suppress(bob, '1@example.com'));
      await uow.forTenant(ann, () => suppress(bob, '2@example.com'));
    });
    await expect(work).rejects.toThrow(/row-level security/);
    expect(await uow.forTenant(bob, addresses)).toEqual(['bob@example.com']);
  });

  it('for several tenants takes no statement of nobody and of nobody else, and none inside a customer’s request', async () => {
    await uow.forTenants([ann], async () => {
      await uow.forTenant(ann, addresses);
      await expect(addresses()).rejects.toThrow(NoUnitOfWork);
      await expect((async () => uow.forTenant(bob, addresses))()).rejects.toThrow(TenantSwitch);
    });
    await expect(uow.confine(ann, async () => uow.forTenants([ann], addresses))).rejects.toThrow(TenantSwitch);
  });

  it('refuses a statement outside any unit', async () => {
    await expect(addresses()).rejects.toThrow(NoUnitOfWork);
  });

  it('runs effects after the commit, outside the unit, and none after a rollback', async () => {
    const seen: string[] = [];
    await uow.forTenant(ann, async () => {
      uow.onCommit(async () => {
        seen.push('committed');
        await expect(addresses()).rejects.toThrow(NoUnitOfWork);
      });
      await addresses();
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(['committed']);
    await expect(
      uow.forTenant(ann, async () => {
        await suppress(ann, 'lost@example.com');
        uow.onCommit(() => void seen.push('never'));
        throw new Error('planned');
      }),
    ).rejects.toThrow('planned');
    expect(seen).toEqual(['committed']);
    expect(await uow.forTenant(ann, addresses)).toEqual(['ann@example.com']);
  });

  it('hands the engine a unit of its own: committed with its work, taken back with it, and over when it is over', async () => {
    const engine = new UnitOfWork({ worker });
    let kept: Statements | undefined;
    const add = (unit: Statements, address: string) =>
      unit.query('INSERT INTO suppression (tenant_id, id, address, reason, created_at) VALUES ($1, $2, $3, $4, $5)', [
        bob,
        newId<SuppressionId>(),
        address,
        'test',
        at,
      ]);
    await engine.forEngine(async (unit) => {
      kept = unit;
      await add(unit, 'engine@example.com');
      await expect(engine.query('SELECT 1')).rejects.toThrow(NoUnitOfWork);
    });
    await expect((async () => kept?.query('SELECT 1'))()).rejects.toThrow(NoUnitOfWork);
    await expect(
      engine.forEngine(async (unit) => {
        await add(unit, 'gone@example.com');
        throw new Error('planned');
      }),
    ).rejects.toThrow('planned');
    expect(await uow.forTenant(bob, addresses)).toEqual(['bob@example.com', 'engine@example.com']);
    await uow.forTenant(bob, () => uow.query('DELETE FROM suppression WHERE address = $1', ['engine@example.com']));
  });

  it('never looks committed when a statement failed and its work kept that to itself', async () => {
    const seen: string[] = [];
    const swallowed = uow.forTenant(ann, async () => {
      await suppress(ann, 'lost@example.com');
      await suppress(ann, 'lost@example.com').catch(() => seen.push('a failure'));
      uow.onCommit(() => void seen.push('never'));
    });
    await expect(swallowed).rejects.toThrow('nothing of the unit was committed');
    expect(seen).toEqual(['a failure']);
    expect(await uow.forTenant(ann, addresses)).toEqual(['ann@example.com']);
  });

  it('looks across tenants without a unit, and never inside a customer’s request', async () => {
    const look = () => uow.look<{ n: string }>('SELECT count(*) AS n FROM suppression WHERE address <> $1', ['nobody']);
    expect(await look()).toEqual([{ n: '2' }]);
    expect(await uow.forTenant(ann, look)).toEqual([{ n: '2' }]);
    expect(() => uow.confine(ann, look)).toThrow(TenantSwitch);
    expect(() => new UnitOfWork({ app }).look('SELECT 1')).toThrow(NoUnitOfWork);
    const listed = () =>
      uow.forLooks(async (looks) => [
        await looks.query('SELECT 1 AS n'),
        await looks.prepared('SELECT $1::int AS n', [2]),
      ]);
    expect(await listed()).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    await expect((async () => uow.confine(ann, listed))()).rejects.toThrow(TenantSwitch);
  });

  it('does not find a unit that is over in what it left behind', async () => {
    let later: Promise<unknown> | undefined;
    let release: () => void = () => undefined;
    await uow.forTenant(ann, async () => {
      await addresses();
      later = new Promise<void>((resolve) => (release = resolve)).then(() => uow.forTenant(bob, addresses));
    });
    release();
    await expect(later).resolves.toEqual(['bob@example.com']);
  });

  it('prepares a statement again that could not be prepared before', async () => {
    const one = createDataSource({ url: database.urls.worker, applicationName: 'test', poolSize: 1 });
    await one.initialize();
    const engine = new UnitOfWork({ worker: one });
    const sum = (sql: string) => engine.forEngine((unit) => unit.prepared<{ n: number }>(sql, [1], 'again'));
    await expect(sum('SELECT n FROM not_there_yet WHERE n = $1')).rejects.toThrow(/not_there_yet/);
    expect(await sum('SELECT $1::int AS n')).toEqual([{ n: 1 }]);
    expect(await sum('SELECT $1::int AS n')).toEqual([{ n: 1 }]);
    await one.destroy();
  });

  it('goes on after a migration has changed what a prepared statement answers', async () => {
    const one = createDataSource({ url: database.urls.worker, applicationName: 'test', poolSize: 1 });
    await one.initialize();
    const owner = new Client({ connectionString: database.superuserUrl });
    await owner.connect();
    try {
      await owner.query(
        'CREATE TABLE widened (n smallint); INSERT INTO widened VALUES (1); GRANT SELECT ON widened TO pf_worker',
      );
      const engine = new UnitOfWork({ worker: one });
      const read = () => engine.forEngine((unit) => unit.prepared<{ n: number }>('SELECT n FROM widened'));
      expect(await read()).toEqual([{ n: 1 }]);
      await owner.query('ALTER TABLE widened ALTER n TYPE int');
      await expect(read()).rejects.toThrow('cached plan must not change result type');
      expect(await read()).toEqual([{ n: 1 }]);
    } finally {
      await owner.end();
      await one.destroy();
    }
  });

  it('writes lists of texts as they are, whatever they hold', async () => {
    const texts = ['a', '', 'NULL', 'with "quotes"', 'back\\slash', '{1,2}', 'comma, and space'];
    const engine = new UnitOfWork({ worker });
    const read = (list: readonly unknown[] | Buffer) =>
      engine.forEngine((unit) => unit.prepared<{ t: string | null }>('SELECT unnest($1::text[]) AS t', [list]));
    for (const list of [texts, ['NULL', '', '{1,2}', 'comma, and space'], ['', null, 'NULL'], [1, null, -2.5], []]) {
      expect((await read(list)).map(({ t }) => t)).toEqual(list.map((one) => (one === null ? null : String(one))));
    }
    for (const list of [[...texts, 'Grüße, 世界 😀', 'x'.repeat(100_000)], ['']]) {
      expect((await read(binaryTexts(list))).map(({ t }) => t)).toEqual(list);
    }
    expect(await read(binaryTexts([]))).toEqual([]);
  });

  it('destroys a connection that comes back with its transaction open', async () => {
    const runner = app.createQueryRunner();
    await runner.connect();
    await runner.query('BEGIN');
    await runner.query(
      'SELECT set_config($1, $2, true), set_config($3, extract(epoch FROM transaction_timestamp())::text, true)',
      ['app.tenant', ann, 'app.tenant_at'],
    );
    expect(await runner.query('SELECT address FROM suppression')).toHaveLength(1);
    const before = dirty.length;
    await runner.release();
    expect(dirty.length).toBe(before + 1);
    expect(await app.query('SELECT address FROM suppression')).toEqual([]);
  });

  it('stays inside its tenant through a storm of requests, failures and dirty releases', async () => {
    const wide = createDataSource({
      url: database.urls.app,
      applicationName: 'storm',
      poolSize: 4,
      onDirtyRelease: (status) => dirty.push(status),
    });
    await wide.initialize();
    const storm = new UnitOfWork({ app: wide });
    const wrong: unknown[] = [];
    const request = async (n: number) => {
      const tenant = n % 2 === 0 ? ann : bob;
      const own = n % 2 === 0 ? 'ann@example.com' : 'bob@example.com';
      if (n % 17 === 0) {
        const runner = wide.createQueryRunner();
        await runner.connect();
        await runner.query('BEGIN');
        await runner.release();
        return;
      }
      try {
        await storm.forTenant(tenant, async () => {
          const rows = await storm.query<{ address: string }>('SELECT address FROM suppression');
          if (rows.length !== 1 || rows[0]?.address !== own) wrong.push(rows);
          if (n % 7 === 0) throw new Error('planned');
        });
      } catch (error) {
        if (!(error instanceof Error) || error.message !== 'planned') throw error;
      }
      const unscoped: unknown[] = await wide.query('SELECT address FROM suppression');
      if (unscoped.length > 0) wrong.push(unscoped);
    };
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(Array.from({ length: 12 }, (_, i) => request(round * 12 + i)));
    }
    await wide.destroy();
    expect(wrong).toEqual([]);
  });

  it('tells whether the database takes writes', async () => {
    await uow.forEdge(() => checkWrites(uow));
    await uow.forSystem(async () => {
      await checkWrites(uow);
      await uow.query('SET LOCAL default_transaction_read_only = on');
      await expect(checkWrites(uow)).rejects.toBeInstanceOf(DatabaseReadOnly);
    });
  });
});
