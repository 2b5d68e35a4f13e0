import { createDataSource } from '@libs/database';
import { newId, toPublicId, type ApiKeyId, type PlanId, type TenantId } from '@libs/kernel';
import {
  ApiKeyService,
  KeyUsageService,
  OperatorKeyService,
  SCOPES,
  TenancyModule,
  TenantService,
  type NewApiKey,
} from '@libs/tenancy';
import { Client } from 'pg';
import { waitFor } from '../support/wait-for';
import { assemble, NOON, startApiProcess, type ApiProcess } from './api-process';

const pepper = 'pepper of the tests, long enough to count';
const by = { actor: 'key:test' };
const wanted: NewApiKey = { name: 'shop', mode: 'LIVE', scopes: ['send', 'read'] };

describe('keys', () => {
  let process: ApiProcess;
  let keys: ApiKeyService;
  let operators: OperatorKeyService;
  let own: TenantId;
  let other: TenantId;

  beforeAll(async () => {
    process = await startApiProcess([TenancyModule.forRoot({ pepper })]);
    keys = process.module.get(ApiKeyService);
    operators = process.module.get(OperatorKeyService);
    const plan = newId<PlanId>();
    await process.uow.forSystem(() =>
      process.uow.query(
        `INSERT INTO plan (id, code, name, tier, streams, weight, created_at) VALUES ($1, 'p', 'P', 'free', '{MARKETING}', 1, $2)`,
        [plan, NOON],
      ),
    );
    const tenants = process.module.get(TenantService);
    own = (await tenants.create({ name: 'Own', planId: plan }, by)).id;
    other = (await tenants.create({ name: 'Other', planId: plan }, by)).id;
  });
  afterAll(() => process.close());

  it('open the door to their tenant, in their mode, with their scopes', async () => {
    const { apiKey, key } = await keys.create(own, { ...wanted, scopes: SCOPES }, by);
    expect(key).toMatch(/^pf_live_/);
    await expect(keys.authenticate(key)).resolves.toEqual({
      kind: 'key',
      keyId: apiKey.id,
      tenantId: own,
      mode: 'LIVE',
      scopes: SCOPES,
      expiresAt: null,
    });
    const test = await keys.create(own, { ...wanted, mode: 'TEST' }, by);
    await expect(keys.authenticate(test.key)).resolves.toMatchObject({ mode: 'TEST' });
  });

  it('are shown once: no column of any table holds one', async () => {
    const { key } = await keys.create(own, wanted, by);
    const operator = await operators.create({ name: 'ann', role: 'owner' }, by);
    const client = new Client({ connectionString: process.database.superuserUrl });
    await client.connect();
    try {
      const tables = await client.query<{ name: string }>(
        `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
      );
      expect(tables.rows.length).toBeGreaterThan(10);
      for (const { name } of tables.rows) {
        const dump = await client.query<{ row: string }>(`SELECT t::text AS row FROM public.${name} t`);
        for (const { row } of dump.rows) {
          expect(row).not.toContain(key.slice(13));
          expect(row).not.toContain(operator.key.slice(13));
        }
      }
    } finally {
      await client.end();
    }
    expect((await keys.list(own)).find((one) => key.startsWith(one.prefix))?.prefix).toBe(key.slice(0, 12));
  });

  it('of one kind do not open the other door', async () => {
    const { key } = await keys.create(own, wanted, by);
    const operator = await operators.create({ name: 'ann', role: 'viewer' }, by);
    await expect(keys.authenticate(operator.key)).resolves.toBeUndefined();
    await expect(operators.authenticate(key)).resolves.toBeUndefined();
    await expect(operators.authenticate(operator.key)).resolves.toEqual({
      kind: 'operator',
      operatorId: operator.id,
      name: 'ann',
      role: 'viewer',
    });
  });

  it('made under another pepper are unknown', async () => {
    const { key } = await keys.create(own, wanted, by);
    const app = createDataSource({ url: process.database.urls.app, applicationName: 'test', poolSize: 1 });
    await app.initialize();
    const elsewhere = await assemble({ app }, [TenancyModule.forRoot({ pepper: `${pepper}!` })]);
    await expect(elsewhere.module.get(ApiKeyService).authenticate(key)).resolves.toBeUndefined();
    await elsewhere.module.close();
    await app.destroy();
  });

  it('that are malformed are refused without asking the database, and well-formed ones let nobody in when it is away', async () => {
    const { key } = await keys.create(own, wanted, by);
    const app = createDataSource({ url: process.database.urls.app, applicationName: 'test', poolSize: 1 });
    // Never initialised: every statement fails.
    const away = await assemble({ app }, [TenancyModule.forRoot({ pepper })]);
    const blind = away.module.get(ApiKeyService);
    const last = key.endsWith('0') ? '1' : '0';
    for (const text of ['', 'Bearer', 'pf_live_', key.slice(0, -1) + last, `${key}0`, key.toUpperCase(), '\u0000']) {
      await expect(blind.authenticate(text)).resolves.toBeUndefined();
    }
    await expect(blind.authenticate(key)).rejects.toThrow();
    await expect(blind.authenticate(key)).rejects.toThrow();
    await away.module.close();
  });

  it('stop working at their expiry and not before, although they are remembered', async () => {
    const expiresAt = new Date(process.clock.nowMs() + 1_000);
    const { key } = await keys.create(own, { ...wanted, expiresAt }, by);
    const operator = await operators.create({ name: 'bob', role: 'operator', expiresAt }, by);
    process.clock.advance(999);
    await expect(keys.authenticate(key)).resolves.toBeDefined();
    await expect(operators.authenticate(operator.key)).resolves.toBeDefined();
    process.clock.advance(1);
    await expect(keys.authenticate(key)).resolves.toBeUndefined();
    await expect(operators.authenticate(operator.key)).resolves.toBeUndefined();
  });

  it('that are revoked stop here at once and in every other process within a second', async () => {
    const { apiKey, key } = await keys.create(own, wanted, by);
    const app = createDataSource({ url: process.database.urls.app, applicationName: 'test', poolSize: 2 });
    await app.initialize();
    const elsewhere = await assemble({ app }, [TenancyModule.forRoot({ pepper })]);
    const there = elsewhere.module.get(ApiKeyService);
    await expect(there.authenticate(key)).resolves.toBeDefined();
    await expect(keys.authenticate(key)).resolves.toBeDefined();

    await keys.revoke(own, apiKey.id, by);
    const revokedAt = performance.now();
    await expect(keys.authenticate(key)).resolves.toBeUndefined();
    let lastAccepted = revokedAt;
    await waitFor(
      async () => {
        const asked = performance.now();
        if ((await there.authenticate(key)) === undefined) return true;
        lastAccepted = asked;
        return false;
      },
      { what: 'the revocation to be seen' },
    );
    expect(lastAccepted - revokedAt).toBeLessThanOrEqual(1_000);
    await elsewhere.module.close();
    await app.destroy();
  });

  it('are revoked once, with one audit entry, however often it is asked', async () => {
    const { apiKey } = await keys.create(own, wanted, by);
    const first = await keys.revoke(own, apiKey.id, by);
    process.clock.advance(5_000);
    const second = await keys.revoke(own, apiKey.id, by);
    expect(second.revokedAt).toEqual(first.revokedAt);
    const entries = await process.uow.forSystem(() =>
      process.uow.query<{ action: string }>('SELECT action FROM audit_log WHERE subject = $1', [
        toPublicId('apiKey', apiKey.id),
      ]),
    );
    expect(entries.map((entry) => entry.action).sort()).toEqual(['api-key.create', 'api-key.revoke']);
  });

  it('of another tenant are not found, as those that never existed', async () => {
    const { apiKey, key } = await keys.create(own, wanted, by);
    const missing = { issues: [{ code: 'NOT_FOUND', path: ['id'] }] };
    for (const id of [apiKey.id, newId<ApiKeyId>(), 'key_x' as ApiKeyId]) {
      await expect(keys.revoke(other, id, by)).rejects.toMatchObject(missing);
      await expect(process.uow.forSystem(() => keys.revoke(other, id, by))).rejects.toMatchObject(missing);
    }
    await expect(keys.authenticate(key)).resolves.toBeDefined();
    expect((await keys.list(other)).map((one) => one.id)).not.toContain(apiKey.id);
  });

  it('are made by operators too, but not for a tenant that does not exist', async () => {
    await expect(process.uow.forSystem(() => keys.create(own, wanted, by))).resolves.toBeDefined();
    const nobody = newId<TenantId>();
    for (const make of [
      () => keys.create(nobody, wanted, by),
      () => process.uow.forSystem(() => keys.create(nobody, wanted, by)),
    ]) {
      await expect(make()).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND', path: ['tenantId'] }] });
    }
  });

  it('of operators can be revoked, and are refused with every wrong field at once', async () => {
    const { id, key } = await operators.create({ name: 'eve', role: 'operator' }, by);
    await operators.revoke(id, by);
    await operators.revoke(id, by);
    await expect(operators.authenticate(key)).resolves.toBeUndefined();
    await expect(operators.revoke(newId(), by)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND' }] });
    await expect(operators.create({ name: '', role: 'root', expiresAt: NOON }, by)).rejects.toMatchObject({
      issues: [{ path: ['name'] }, { path: ['role'] }, { path: ['expiresAt'] }],
    });
  });

  it('note their last use to the minute, with one write however often they are used', async () => {
    const usage = process.module.get(KeyUsageService);
    const { apiKey, key } = await keys.create(own, wanted, by);
    const lastUse = async () => (await keys.list(own)).find((one) => one.id === apiKey.id)?.lastUsedAt;
    const version = async () => {
      const rows = await process.uow.forSystem(() =>
        process.uow.query<{ xmin: string }>('SELECT xmin::text AS xmin FROM api_key WHERE id = $1', [apiKey.id]),
      );
      return rows[0]?.xmin;
    };
    expect(await lastUse()).toBeNull();

    for (let i = 0; i < 50; i += 1) await keys.authenticate(key);
    await usage.flush();
    const minute = new Date(Math.floor(process.clock.nowMs() / 60_000) * 60_000);
    expect(await lastUse()).toEqual(minute);

    const written = await version();
    for (let i = 0; i < 50; i += 1) await keys.authenticate(key);
    await usage.flush();
    expect(await version()).toBe(written);

    process.clock.advance(60_000);
    await keys.authenticate(key);
    await usage.flush();
    expect(await lastUse()).toEqual(new Date(minute.getTime() + 60_000));
    expect(await version()).not.toBe(written);
  });
});
