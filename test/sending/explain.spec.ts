import { newId, REAL_TIME, type TenantId } from '@libs/kernel';
import { Client } from 'pg';
import { claimOf } from '../../libs/sending/src/engine/claim.sql';
import { messageQuery, withinTime, type MessageQuery } from '../../libs/sending/src/message-filter.policy';
import {
  listAlong,
  listMessages,
  listOfBoth,
  listUndelivered,
  type Statement,
} from '../../libs/sending/src/message-list.sql';
import { daySuffixOf } from '../../libs/sending/src/engine/day-suffix.policy';
import { applySentOf, SETTLE } from '../../libs/sending/src/engine/outcome.sql';
import { createTestDatabase, type TestDatabase } from '../support/database';

const TODAY = daySuffixOf(newId());
const HOUR_MS = 3_600_000;

/** As the pools of worker and api set them (libs/database, genericPlans and indexPlans). */
const SETTINGS = {
  worker: '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off',
  app: '-c enable_seqscan=off',
} as const;
const HOT = /^(message|message_body|message_tag|recipient|attempt|batch)_(p\d{8}|default)$/;

/** Statistics as they may be when a statement is planned: of a day that has not begun, or of one that is full. */
const STATISTICS = {
  'nothing was analysed yet': [],
  'everything was analysed while it was empty': ['ANALYZE'],
  'the days hold fifty thousand messages each': [
    `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at, expires_at,
                          sending_account_id, lane_id, state)
     SELECT md5((n % 20)::text)::uuid, (substr(uuid_floor(CURRENT_DATE + n % 3)::text, 1, 14) || substr(md5(n::text)::uuid::text, 15))::uuid,
            'LIVE', 'MARKETING', 1, 100, 'a@b.example', 'Hello', n::text, now(), now() + interval '1 day', md5('account')::uuid,
            md5('lane')::uuid, 'READY' FROM generate_series(1, 50000) AS n`,
    `INSERT INTO message_body SELECT tenant_id, id, '{}' FROM message`,
    `INSERT INTO recipient (tenant_id, message_id, position, kind, address) SELECT tenant_id, id, 0, 'TO', 'c@d.example' FROM message`,
    `INSERT INTO message_tag SELECT tenant_id, id, 'campaign', 'spring' FROM message`,
    `INSERT INTO backlog SELECT tenant_id, id, mode, stream, sending_account_id, n_rcpt, false, NULL, expires_at FROM message`,
    `INSERT INTO attempt (tenant_id, message_id, attempt_no, id, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, created_at, state)
     SELECT tenant_id, id, 1, gen_random_uuid(), md5('batch')::uuid, sending_account_id, lane_id, mode, stream, 1, 100, now(), 'INTENT' FROM message`,
    'ANALYZE',
  ],
};

/** A line of a plan that reads a table: which, how, and by which columns of its index. */
interface Read {
  readonly relation: string;
  readonly node: string;
  readonly condition: string;
  readonly filtered: boolean;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Index Name'?: string;
  readonly Filter?: string;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How often the tables whose names begin so were looked at. */
function looksAt(table: string, { 'Relation Name': relation, 'Actual Loops': own = 0, Plans = [] }: PlanNode): number {
  return (relation?.startsWith(table) === true ? own : 0) + Plans.reduce((sum, node) => sum + looksAt(table, node), 0);
}

function nodesOf(node: PlanNode): string[] {
  return [node['Node Type'], ...(node.Plans ?? []).flatMap(nodesOf)];
}

function reads(node: PlanNode): Read[] {
  const relation = node['Relation Name'];
  const own =
    relation !== undefined && node['Node Type'].includes('Scan')
      ? [
          {
            relation,
            node: node['Node Type'],
            condition: node['Index Cond'] ?? '',
            filtered: node.Filter !== undefined,
          },
        ]
      : [];
  return [...own, ...(node.Plans ?? []).flatMap(reads)];
}

describe('the statements of the hot path', () => {
  let database: TestDatabase;
  let superuser: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    superuser = new Client({ connectionString: database.superuserUrl });
    await superuser.connect();
  });
  afterAll(async () => {
    await superuser.end();
    await database.drop();
  });

  /** With values it is the plan of one call, otherwise that of every call. */
  const plansOf = async (
    role: keyof typeof SETTINGS,
    statement: string,
    values?: readonly unknown[],
  ): Promise<PlanNode[]> => {
    const client = new Client({ connectionString: database.urls[role], options: SETTINGS[role] });
    await client.connect();
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        `EXPLAIN (${values ? '' : 'GENERIC_PLAN, '}FORMAT JSON) ${statement}`,
        values && [...values],
      );
      return rows.flatMap((row) => row['QUERY PLAN'].map(({ Plan }) => Plan));
    } finally {
      await client.end();
    }
  };
  /** What the statement did for one of those who have messages, if anybody has. */
  const planOfSomeTenant = async (text: string, values: readonly unknown[]): Promise<PlanNode[]> => {
    const some = await superuser.query<{ tenant: TenantId }>('SELECT tenant_id AS tenant FROM message LIMIT 1');
    const { rows } = await superuser.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      [some.rows[0]?.tenant ?? newId(), ...values.slice(1)],
    );
    return rows.flatMap((row) => row['QUERY PLAN'].map(({ Plan }) => Plan));
  };
  const days = async () =>
    (await superuser.query(`SELECT FROM pg_inherits WHERE inhparent = 'message'::regclass`)).rowCount ?? 0;
  const plan = async (statement: string): Promise<Read[]> => (await plansOf('worker', statement)).flatMap(reads);

  describe.each(Object.entries(STATISTICS))('when %s', (_, preparation) => {
    beforeAll(async () => {
      for (const statement of preparation) await superuser.query(statement);
    });

    it.each([
      ['claim of a day', claimOf(TODAY)],
      ['claim of several days', claimOf('')],
      ['outcome of a day', applySentOf(TODAY)],
      ['outcome of several days', applySentOf('')],
      ['settle', SETTLE],
      ['page of what waits', listAlong('backlog', newId(), messageQuery({ state: ['QUEUED', 'SCHEDULED'] }), 50).text],
    ])('finds every row of a %s by the whole of its key', async (_name, statement) => {
      const hot = (await plan(statement)).filter(({ relation }) => HOT.test(relation));
      expect(hot.length).toBeGreaterThan(0);
      for (const { relation, node, condition } of hot) {
        const key = relation.startsWith('batch')
          ? ['id']
          : ['tenant_id', relation.startsWith('message_p') || relation === 'message_default' ? 'id' : 'message_id'];
        expect({ relation, node, byKey: key.every((column) => condition.includes(column)) }).toEqual({
          relation,
          node: 'Index Scan',
          byKey: true,
        });
      }
    });

    it("walks a customer's tag along its key, and reads nothing else of its messages before their turn", async () => {
      const tag = { name: 'campaign', value: 'spring' };
      const plans = await plansOf(
        'app',
        listAlong('message_tag', newId(), messageQuery({ mode: 'LIVE', tag }), 50).text,
      );
      expect(plans.flatMap(nodesOf).filter((node) => node.includes('Sort'))).toEqual([]);
      const hot = plans.flatMap(reads).filter(({ relation }) => HOT.test(relation));
      expect(hot.filter(({ relation }) => relation.startsWith('message_tag')).length).toBeGreaterThan(1);
      // Asked above the days: within each of them, its first match would be looked for before the page could begin.
      expect(hot.filter(({ relation, filtered }) => filtered && relation.startsWith('message_tag'))).toEqual([]);
      for (const { relation, node, condition } of hot) {
        const key = relation.startsWith('message_tag') ? ['tenant_id', 'name', 'value'] : ['tenant_id', 'id'];
        expect({ relation, node, byKey: key.every((column) => condition.includes(column)) }).toEqual({
          relation,
          node: expect.stringMatching(/^Index (Only )?Scan$/) as string,
          byKey: true,
        });
      }
    });

    it('looks at the recipients of those only that may have failed, when asked for what did', async () => {
      const { text, values } = listOfBoth(newId(), messageQuery({ state: ['BOUNCED', 'REJECTED', 'EXPIRED'] }), 50);
      const [plan] = await planOfSomeTenant(text, values);
      expect(plan && looksAt('recipient', plan)).toBeLessThanOrEqual(await days());
    });

    it('passes over those that were delivered, when asked for what was sent and no more', async () => {
      const { text, values } = listUndelivered(newId(), messageQuery({ mode: 'LIVE', state: ['SENT'] }), 50);
      await superuser.query(`BEGIN; UPDATE recipient SET state = 'DELIVERED'`);
      const [plan] = await planOfSomeTenant(text, values);
      await superuser.query('ROLLBACK');
      expect(plan && looksAt('recipient', plan)).toBeLessThanOrEqual(await days());
      expect(plan && looksAt('message', plan)).toBe(0);
      const plans = await plansOf('app', text);
      expect(plans.flatMap(nodesOf).filter((node) => /Sort|Hash/.test(node))).toEqual([]);
      expect(plans.flatMap(reads).filter(({ node }) => !/^Index (Only )?Scan$/.test(node))).toEqual([]);
    });

    it('goes to what was accepted under an idempotency key by that key, whatever else is asked for', async () => {
      const createdAt = { gte: new Date(HOUR_MS) };
      const filter = { mode: 'LIVE', idempotencyKey: '7', to: 'c@d.example', state: ['REJECTED'], createdAt } as const;
      const { text } = listAlong('idempotency key', newId(), withinTime(messageQuery(filter), REAL_TIME), 50);
      const messages = (await plansOf('app', text)).flatMap(reads).filter(({ relation }) => /^message_/.test(relation));
      const others = messages.filter(({ condition }) => !/\bid = /.test(condition));
      expect(others).toHaveLength(await days());
      for (const { relation, node, condition } of others) {
        const byKey = /tenant_id = .*idempotency_key = /.test(condition);
        expect({ relation, node, byKey }).toEqual({ relation, node: 'Index Scan', byKey: true });
      }
    });

    it('walks along test messages alone when they are asked for', async () => {
      const indexes = (node: PlanNode): string[] => [
        ...(node['Index Name'] === undefined ? [] : [node['Index Name']]),
        ...(node.Plans ?? []).flatMap(indexes),
      ];
      for (const filter of [{ mode: 'TEST' }, { mode: 'TEST', state: ['DELIVERED'], stream: 'MARKETING' }] as const) {
        const { text, values } = listMessages('m.id', newId(), messageQuery(filter), 50);
        const used = (await plansOf('app', text, values)).flatMap(indexes).filter((name) => /^message_/.test(name));
        expect(used.filter((name) => !/^message_of_test_|_tenant_id_id_idx\d*$/.test(name))).toEqual([]);
        expect(used).toHaveLength(await days());
      }
    });

    it('passes over what waits in the other stream and mode where it lies', async () => {
      const filter = { mode: 'TEST', stream: 'TRANSACTIONAL', state: ['QUEUED'] } as const;
      const { text, values } = listAlong('backlog', newId(), messageQuery(filter), 50);
      const [plan] = await planOfSomeTenant(text, values);
      expect(plan && looksAt('message', plan)).toBe(0);
    });

    it('asks for what leads nowhere above the days, none of which need have a match', async () => {
      const { text } = listMessages('m.id', newId(), messageQuery({ mode: 'LIVE', stream: 'MARKETING' }), 50);
      const plans = await plansOf('app', text);
      expect(plans.flatMap(nodesOf).filter((node) => node.includes('Sort'))).toEqual([]);
      const hot = plans.flatMap(reads).filter(({ relation }) => HOT.test(relation));
      expect(hot.length).toBeGreaterThan(1);
      expect(hot.filter(({ filtered }) => filtered)).toEqual([]);
    });

    it('reads the days of a span of time, and no other', async () => {
      const [, day = ''] = /^_p(\d{8})$/.exec(TODAY) ?? [];
      const start = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
      const createdAt = { gte: new Date(start + 6 * HOUR_MS), lt: new Date(start + 12 * HOUR_MS) };
      const daysRead = async (list: (query: MessageQuery) => Statement) => {
        const { text, values } = list(withinTime(messageQuery({ mode: 'LIVE', createdAt }), REAL_TIME));
        return (await plansOf('app', text, values)).flatMap(reads).map(({ relation }) => relation);
      };
      expect(await daysRead((query) => listMessages('m.id', newId(), query, 50))).toEqual([`message${TODAY}`]);
      const tagged = { name: 'campaign', value: 'spring' };
      const byTag = await daysRead((query) => listAlong('message_tag', newId(), { ...query, tag: tagged }, 50));
      expect(byTag.filter((relation) => relation.startsWith('message_tag'))).toEqual([`message_tag${TODAY}`]);
    });

    it('reads and writes no other day when a day is named', async () => {
      const days = new Set(
        [...(await plan(claimOf(TODAY))), ...(await plan(applySentOf(TODAY)))].map(({ relation }) => relation),
      );
      expect([...days].filter((relation) => /_(p\d{8}|default)$/.test(relation)).sort()).toEqual(
        ['attempt', 'message', 'message_body', 'recipient'].map((table) => `${table}${TODAY}`).sort(),
      );
    });

    it('takes what was claimed out of the backlog by its key', async () => {
      const [backlog] = (await plan(claimOf(TODAY))).filter(({ relation }) => relation === 'backlog');
      expect(backlog).toMatchObject({ node: 'Index Scan' });
      expect(backlog?.condition).toMatch(/tenant_id.*message_id/);
    });
  });
});
