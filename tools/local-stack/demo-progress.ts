import { Client } from 'pg';
import { SHOWN_STATE } from './shown-state';

export interface Progress {
  /** Messages of this run by the state the engine has them in. */
  readonly byState: Readonly<Record<string, number>>;
  readonly total: number;
  /** Messages nobody will touch again: every recipient has its final event, or was never sent to. */
  readonly settled: number;
}

const PROGRESS = `
  SELECT m.state, count(*) AS n, count(*) FILTER (WHERE NOT EXISTS (
           SELECT FROM recipient r WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id
              AND ${SHOWN_STATE} IN ('SCHEDULED', 'QUEUED', 'SENDING', 'IN_DOUBT', 'SENT'))) AS settled
    FROM message m WHERE m.mode = 'LIVE' AND m.created_at >= $1 GROUP BY m.state`;

/** Reads how far the messages accepted since `since` are. One connection, kept open while the day lasts. */
export class ProgressReader {
  private constructor(private readonly client: Client) {}

  static async open(databaseUrl: string): Promise<ProgressReader> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    return new ProgressReader(client);
  }

  async read(since: Date): Promise<Progress> {
    const { rows } = await this.client.query<{ state: string; n: string; settled: string }>(PROGRESS, [since]);
    return {
      byState: Object.fromEntries(rows.map((row) => [row.state, Number(row.n)])),
      total: rows.reduce((sum, row) => sum + Number(row.n), 0),
      settled: rows.reduce((sum, row) => sum + Number(row.settled), 0),
    };
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

/** The line a person watches. */
export function progressLine(progress: Progress, expected: number, seconds: number): string {
  const { byState, total, settled } = progress;
  const width = 24;
  const filled = Math.min(width, Math.floor((settled / Math.max(1, expected)) * width));
  const bar = `${'#'.repeat(filled)}${'.'.repeat(width - filled)}`;
  const waiting = (byState['READY'] ?? 0) + (byState['SCHEDULED'] ?? 0);
  const flying = byState['INTENT'] ?? 0;
  const doubt = byState['IN_DOUBT'] ?? 0;
  return `[${bar}] ${settled}/${expected} settled  accepted ${total}  waiting ${waiting}  sending ${flying}  in doubt ${doubt}  ${seconds} s`;
}
