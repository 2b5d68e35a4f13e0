import { Client } from 'pg';
import { ApiArm } from '../api-arm';
import { EngineArm } from '../engine-arm';
import type { BenchDatabase, Lab } from '../lab';
import type { Result } from '../result';
import { measureSlice, perSecond } from '../slice';

const ACCOUNTS = 4;
const RATE = 400;
const HELD_SECONDS = { short: 120, long: 3_600 };
/** How long the rate is watched before the snapshot is taken. */
const BEFORE_SECONDS = 20;

/**
 * WAL of a message's whole way, from the api to SENT, without what its body's own row takes; and what a snapshot that is held
 * open does to the rate, because vacuum can then remove nothing of what the engine leaves behind.
 */
export async function b14(lab: Lab): Promise<Result> {
  const account = { rate: RATE, quota: 50_000_000, tenantWeights: [10, 10] };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) });
  let api: ApiArm | undefined;
  try {
    api = await ApiArm.start(lab, arm.database, arm.fleet.tenants);
    const wal = await walPerMessage(lab, arm, api);
    await api.stop();
    api = undefined;
    const held = await rateLossUnderSnapshot(lab, arm);
    return {
      id: 'B14',
      measure: 'WAL per message without its body, and rate lost while a snapshot is held',
      figures: [
        { name: 'WAL per message', value: wal.bytes, unit: 'B', target: { most: 800 }, stretch: { most: 600 } },
        {
          name: 'rate lost, snapshot held',
          value: held.lostPercent,
          unit: '%',
          target: { most: 0 },
          stretch: { most: 0 },
        },
      ],
      notes: [
        `${wal.messages} messages accepted in batches, then sent: ${wal.bytes.toFixed(0)} B each, full-page images (${wal.imageBytes.toFixed(0)} B a message in this short run after a checkpoint) and the body's rows (${wal.bodyBytes.toFixed(0)} B) not counted; by pg_walinspect.`,
        `Accepting: ${partText(wal.accepting)}.`,
        `From the claim to the outcome: ${partText(wal.sending)}.`,
        'By table with its indexes; commits, locks and what touches no page make up the rest.',
        `Snapshot held for ${held.seconds} s at ${ACCOUNTS * RATE}/s: ${held.before.toFixed(1)}/s in the ${BEFORE_SECONDS} s before, ${held.during.toFixed(1)}/s in its last third; above the granted rate counts as the granted rate. Less than a batch of each account (${held.noisePercent.toFixed(2)} %) counts as nothing lost.`,
      ],
    };
  } finally {
    await api?.stop();
    await arm.close();
  }
}

/** Bytes per message. */
interface WalPart {
  /** Without full-page images and bodies. */
  readonly bytes: number;
  readonly imageBytes: number;
  readonly bodyBytes: number;
  /** The tables that write most of it. */
  readonly tables: readonly { readonly name: string; readonly bytes: number }[];
}

interface WalUse extends Omit<WalPart, 'tables'> {
  readonly messages: number;
  readonly accepting: WalPart;
  readonly sending: WalPart;
}

function partText({ bytes, tables }: WalPart): string {
  return `${bytes.toFixed(0)} B (${tables.map(({ name, bytes: own }) => `${name} ${own.toFixed(0)} B`).join(', ')})`;
}

/** All are accepted before a worker starts, so that each half's WAL can be told from the other's. */
async function walPerMessage(lab: Lab, arm: EngineArm, api: ApiArm): Promise<WalUse> {
  const messages = Math.max(4_000, ACCOUNTS * RATE * lab.args.seconds);
  const { client } = arm.database;
  await arm.connectSink();
  await arm.startWorker();
  lab.progress(`WAL of ${messages} messages`);
  // A first few, so that connections, caches and the first pages of every table are not counted.
  await accept(api, arm, 400);
  await lab.until('the first messages to be sent', 60, () => allSent(arm.database));
  await arm.stopWorkers();
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
  await client.query('CHECKPOINT');
  const begin = await walPosition(client);
  await accept(api, arm, messages);
  const accepted = await walPosition(client);
  await arm.startWorker();
  await lab.until('all messages to be sent', 60 + messages / RATE, () => allSent(arm.database));
  const end = await walPosition(client);
  await arm.stopWorkers();
  const accepting = await walBetween(client, begin, accepted, messages);
  const sending = await walBetween(client, accepted, end, messages);
  return {
    messages,
    bytes: accepting.bytes + sending.bytes,
    imageBytes: accepting.imageBytes + sending.imageBytes,
    bodyBytes: accepting.bodyBytes + sending.bodyBytes,
    accepting,
    sending,
  };
}

async function walBetween(client: Client, from: string, to: string, messages: number): Promise<WalPart> {
  const { rows } = await client.query<{ bytes: string; images: string }>(
    `SELECT sum(record_length)::text AS bytes, sum(fpi_length)::text AS images FROM pg_get_wal_records_info($1, $2)`,
    [from, to],
  );
  const tables = (await bytesByTable(client, from, to)).map(({ name, bytes }) => ({ name, bytes: bytes / messages }));
  const imageBytes = Number(rows[0]?.images ?? 0) / messages;
  const bodyBytes = tables.find(({ name }) => name === 'message_body')?.bytes ?? 0;
  return {
    bytes: Number(rows[0]?.bytes ?? 0) / messages - imageBytes - bodyBytes,
    imageBytes,
    bodyBytes,
    tables: tables.filter(({ bytes }) => bytes >= 1).slice(0, 7),
  };
}

/** WAL by table with its indexes, partitions and long values together, most first, without full-page images. */
async function bytesByTable(client: Client, from: string, to: string): Promise<{ name: string; bytes: number }[]> {
  const { rows } = await client.query<{ name: string; bytes: number }>(
    `WITH touched AS MATERIALIZED (
       SELECT DISTINCT ON (b.start_lsn) b.relfilenode, i.record_length - i.fpi_length AS bytes
         FROM pg_get_wal_block_info($1, $2) b JOIN pg_get_wal_records_info($1, $2) i USING (start_lsn)
        ORDER BY b.start_lsn, b.block_id),
     owner AS (
       SELECT c.relfilenode, coalesce(x.indrelid, l.oid, c.oid) AS oid
         FROM pg_class c LEFT JOIN pg_class l ON l.reltoastrelid = c.oid
         LEFT JOIN pg_index x ON x.indexrelid = c.oid)
     SELECT coalesce(regexp_replace(t.relname, '_p[0-9]{8}$', ''), 'other') AS name, sum(d.bytes)::float8 AS bytes
       FROM touched d LEFT JOIN owner o USING (relfilenode) LEFT JOIN pg_class t ON t.oid = o.oid
      GROUP BY 1 ORDER BY 2 DESC`,
    [from, to],
  );
  return rows;
}

async function accept(api: ApiArm, arm: EngineArm, messages: number): Promise<void> {
  const { tenants } = arm.fleet;
  const each = Math.ceil(messages / tenants.length);
  for (const tenant of tenants) {
    for (let left = each; left > 0; left -= 1_000)
      await api.sendBatch(tenant, 'MARKETING', 1_024, Math.min(1_000, left));
  }
}

async function allSent({ client }: BenchDatabase): Promise<boolean> {
  const { rows } = await client.query<{ open: boolean }>(
    `SELECT EXISTS (SELECT FROM backlog) OR EXISTS (SELECT FROM message WHERE state <> 'SENT') OR EXISTS (SELECT FROM batch WHERE state = 'OPEN') AS open`,
  );
  return rows[0]?.open === false;
}

async function walPosition(client: Client): Promise<string> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return rows[0]?.lsn ?? '0/0';
}

async function rateLossUnderSnapshot(lab: Lab, arm: EngineArm) {
  const seconds = lab.args.long ? HELD_SECONDS.long : HELD_SECONDS.short;
  const third = seconds / 3;
  const granted = ACCOUNTS * RATE;
  await arm.fill(Math.ceil(granted * (seconds + BEFORE_SECONDS + 15)));
  // Or autovacuum comes to what seeding has written a minute later: in the last third, and not in the one before.
  await arm.database.client.query('VACUUM (ANALYZE) message_body, recipient');
  await arm.connectSink();
  await arm.runUp();
  lab.progress(`a snapshot held for ${seconds} s`);
  const before = await measureSlice(lab, BEFORE_SECONDS);
  const holder = new Client({ connectionString: arm.database.superuserUrl });
  holder.on('error', () => undefined);
  await holder.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await holder.query('SELECT count(*) FROM tenant');
  await lab.wait(2 * third);
  const during = await measureSlice(lab, third);
  await holder.end();
  await arm.stopWorkers();
  // A slice begins and ends within a batch of each account: 50 messages more or less are chance, not loss.
  const noisePercent = (100 * ACCOUNTS * 50) / (granted * BEFORE_SECONDS);
  // What goes beyond the rate right after the start makes good what the start was late with: no rate that could be kept.
  const kept = Math.min(perSecond(before), granted);
  const lost = 100 * (1 - perSecond(during) / kept);
  return {
    seconds,
    before: perSecond(before),
    during: perSecond(during),
    noisePercent,
    lostPercent: lost <= noisePercent ? 0 : lost,
  };
}
