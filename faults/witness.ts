import { Client } from 'pg';
import { isSend } from '../apps/simulator/src/arrivals/arrival.log';
import type { SimulatorAdminClient } from '../apps/simulator/src/simulator-admin.client';
import type { SeenSend } from './judge';

const INVENTORY = `
  SELECT coalesce(array_agg(id::text), '{}') AS ids, count(*) FILTER (WHERE state IN ('SCHEDULED', 'READY', 'INTENT'))::int AS open
    FROM message`;

/** Reads what the judge needs, from outside the product: SES's arrival log and meters, and the database's rows. */
export class Witness {
  sends: SeenSend[] = [];
  private readonly arrived = new Set<string>();
  private looking = Promise.resolve();
  private next = 0;
  private base = { overQuota: 0, overRate: 0 };

  constructor(
    private readonly simulator: SimulatorAdminClient,
    private readonly databaseUrl: string,
  ) {}

  /** Starts a new case: what arrived before is no part of it. */
  async begin(): Promise<void> {
    await this.look();
    this.sends = [];
    this.arrived.clear();
    this.base = await this.meters();
  }

  /** Reads on in the arrival log. One look after the other: two at once would see the same requests twice. */
  look(): Promise<void> {
    this.looking = this.looking.catch(() => undefined).then(() => this.readOn());
    return this.looking;
  }

  private async readOn(): Promise<void> {
    for await (const arrival of this.simulator.allArrivals(this.next)) {
      this.next = arrival.seq;
      if (!isSend(arrival)) continue;
      const messageId = arrival.tags?.['message'] ?? '';
      const accepted = arrival.verdict === 'accepted';
      const shared = arrival.operation === 'SendBulkEmail';
      this.sends.push({ messageId, accepted, recipients: arrival.nRecipients ?? 0, atMs: arrival.at, shared });
      if (accepted) this.arrived.add(messageId);
    }
  }

  hasArrived(messageId: string): boolean {
    return this.arrived.has(messageId);
  }

  /** Messages that SES was asked to send by shared requests since the case began. */
  async shared(): Promise<number> {
    await this.look();
    return this.sends.filter(({ shared }) => shared === true).length;
  }

  /** Requests beyond a limit since the case began. */
  async excess(): Promise<{ overQuota: number; overRate: number }> {
    const { overQuota, overRate } = await this.meters();
    return { overQuota: overQuota - this.base.overQuota, overRate: overRate - this.base.overRate };
  }

  /** Puts aside what the meters have counted up to now. Answers how much that was. */
  async forgive(): Promise<number> {
    const { overQuota, overRate } = await this.excess();
    this.base = await this.meters();
    return overQuota + overRate;
  }

  /** The engine's state of each of these messages. */
  async states(ids: Iterable<string>): Promise<Map<string, string>> {
    const client = new Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ id: string; state: string }>(
        'SELECT id, state FROM message WHERE id = ANY ($1::uuid[])',
        [[...ids]],
      );
      return new Map(rows.map(({ id, state }) => [id, state]));
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Every message there is, and how many of them may still be sent. */
  async inventory(): Promise<{ ids: string[]; open: number }> {
    const client = new Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ ids: string[]; open: number }>(INVENTORY);
      return rows[0] ?? { ids: [], open: 0 };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async meters(): Promise<{ overQuota: number; overRate: number }> {
    const { overQuota, overRate } = await this.simulator.summary();
    return { overQuota, overRate };
  }
}
