import { SnsWebhookService } from '@libs/deliverability';
import type { MessageId, TenantId } from '@libs/kernel';
import { MessageService } from '@libs/sending';
import { Client } from 'pg';
import { EVIDENCE_ORDER } from '../../libs/sending/src/recipient-state.policy';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

const MESSAGES = 150;
const order: readonly string[] = EVIDENCE_ORDER;

describe('events that SNS doubles, delays and lets overtake each other', () => {
  let stack: SendingStack;
  let tenant: TenantId;
  let ids: MessageId[];
  let judge: Client;

  beforeAll(async () => {
    stack = await SendingStack.start({ eventDelayMs: 200 });
    await stack.account({ maxSendRate: 200 });
    tenant = await stack.tenant('shop');
    judge = new Client({ connectionString: stack.database.superuserUrl });
    await judge.connect();
    // Every change of a recipient is written down, so that a state that went back and forth again is seen too.
    await judge.query(`
      CREATE TABLE recipient_change (message_id uuid, old text, new text);
      GRANT INSERT ON recipient_change TO PUBLIC;
      CREATE FUNCTION note_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO recipient_change VALUES (NEW.message_id, OLD.state, NEW.state); RETURN NULL; END $$;
      CREATE TRIGGER note_recipient AFTER UPDATE OF state ON recipient FOR EACH ROW EXECUTE FUNCTION note_recipient();
    `);
    await stack.aws.putDomain('bouncy.example', { bounceRate: 1 });
    await stack.aws.putDomain('angry.example', { complaintRate: 1 });
    await stack.aws.setEventFaults({ duplicateRate: 0.5, reorderMs: 1_500 });
    await stack.startWorker();
    const domains = ['inbox.example', 'inbox.example', 'bouncy.example', 'angry.example'];
    ids = await stack.accept(tenant, 'shop', MESSAGES, (i) => ({
      to: [{ email: `r${String(i)}@${domains[i % domains.length] ?? ''}` }],
    }));
    await waitFor(async () => (await ended()) === MESSAGES, { what: 'every message to end', withinMs: 60_000 });
    await waitFor(quiet, { what: 'the last event to be applied', withinMs: 30_000 });
  }, 180_000);
  afterAll(async () => {
    await judge.end();
    await stack.close();
  });

  const rows = async <Row extends object>(sql: string, parameters: unknown[] = []) =>
    (await judge.query<Row>(sql, parameters)).rows;
  const count = async (sql: string) => (await rows<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`))[0]?.n ?? 0;
  const ended = () => count(`recipient WHERE state IN ('DELIVERED', 'BOUNCED', 'COMPLAINED')`);
  const quiet = async () => {
    const { events, deliveries } = await stack.aws.summary();
    return (
      events.waiting === 0 && deliveries.pending === 0 && (await count(`notification WHERE state = 'STORED'`)) === 0
    );
  };

  it('are stored once each, however often they came', async () => {
    const { events, deliveries } = await stack.aws.summary();
    const published = Object.values(events.published).reduce((sum, n) => sum + n, 0);
    expect(deliveries.delivered).toBeGreaterThan(published * 1.2);
    expect(await count(`notification WHERE type = 'Notification'`)).toBe(published);
    expect(await count(`notification WHERE state = 'REJECTED'`)).toBe(0);
  });

  it('leave every recipient in the state that its fate is, and never took one back', async () => {
    const fates = await rows<{ domain: string; state: string; n: number }>(
      `SELECT split_part(address, '@', 2) AS domain, state, count(*)::int AS n FROM recipient GROUP BY 1, 2 ORDER BY 1`,
    );
    expect(fates).toEqual([
      { domain: 'angry.example', state: 'COMPLAINED', n: 37 },
      { domain: 'bouncy.example', state: 'BOUNCED', n: 37 },
      { domain: 'inbox.example', state: 'DELIVERED', n: 76 },
    ]);
    // A recipient of whom nothing is known alone is as its message.
    const changes = await rows<{ old: string; new: string }>(
      `SELECT coalesce(old, 'SENT') AS old, new FROM recipient_change WHERE old IS DISTINCT FROM new`,
    );
    expect(changes.length).toBeGreaterThanOrEqual(MESSAGES);
    expect(changes.filter((change) => order.indexOf(change.new) < order.indexOf(change.old))).toEqual([]);
  });

  it('are counted once: in the timeline, in usage and among the suppressed', async () => {
    const timelines = await Promise.all(
      ids.map((id) => stack.inApi(MessageService).timeline(tenant, id, { limit: 50 })),
    );
    const types = timelines.map((timeline) => timeline.rows.map((event) => event.type).sort());
    expect(types.every((own) => new Set(own).size === own.length)).toBe(true);
    const all = types.flat();
    const times = (type: string) => all.filter((one) => one === type).length;
    expect(Object.fromEntries([...new Set(all)].sort().map((type) => [type, times(type)]))).toEqual({
      'message.bounced': 37,
      'message.complained': 37,
      'message.delivered': 113,
      'message.queued': MESSAGES,
      'message.sent': MESSAGES,
    });
    expect(await count(`attempt WHERE state = 'SENT'`)).toBe(MESSAGES);
    expect(await count('suppression')).toBe(74);
    expect(await stack.judge(ids)).toEqual({ lost: 0, duplicated: 0 });
  });

  it('change nothing when all of them are delivered once more', async () => {
    const before = await rows('SELECT message_id, address, state, at FROM recipient ORDER BY message_id');
    const stored = await rows<{ body: string }>(`SELECT body FROM notification`);
    const answers = await Promise.all(stored.map(({ body }) => stack.inApi(SnsWebhookService).receive(body)));
    expect(new Set(answers)).toEqual(new Set(['duplicate']));
    expect(await count(`notification WHERE state = 'STORED'`)).toBe(0);
    expect(await rows('SELECT message_id, address, state, at FROM recipient ORDER BY message_id')).toEqual(before);
  });

  it('are asked for again when the webhook was away, and lost ones leave a message sent, not in doubt', async () => {
    stack.setWebhookDown(true);
    const [late] = await stack.accept(tenant, 'shop', 1);
    await waitFor(async () => (await stack.aws.summary()).deliveries.retried > 0, { what: 'SNS to try again' });
    stack.setWebhookDown(false);
    await waitFor(async () => (await stateOf(late)) === 'DELIVERED', { what: 'the late event' });

    await stack.aws.setEventFaults({ dropRate: 1 });
    const [silent] = await stack.accept(tenant, 'shop', 1);
    await waitFor(async () => (await stateOf(silent)) === 'SENT', {
      what: 'the answer of SES to count',
    });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await stateOf(silent)).toBe('SENT');
  });

  const stateOf = async (id: MessageId | undefined) => id && (await stack.inApi(MessageService).get(tenant, id)).state;
});
