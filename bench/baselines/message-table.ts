import { Pool } from 'pg';

const FLUSH_MS = 25;
const FLUSH_ROWS = 500;
/** Enough that commits meet on their way to the disk, few enough that PostgreSQL does not pay for idle backends. */
const CONNECTIONS = 24;

/** The application's own table of messages: a row for each before the run, with its body where the worker reads it there. */
export class MessageTable {
  private readonly pool: Pool;
  private waiting: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: CONNECTIONS });
  }

  async create(ids: readonly string[], html: string | null): Promise<void> {
    await this.pool.query(
      'CREATE TABLE bull_message (id uuid PRIMARY KEY, html text, state text NOT NULL, sent_at timestamptz) WITH (fillfactor = 70)',
    );
    for (let from = 0; from < ids.length; from += 10_000) {
      const page = ids.slice(from, from + 10_000);
      await this.pool.query(`INSERT INTO bull_message SELECT id, $2, 'READY' FROM unnest($1::uuid[]) AS id`, [
        page,
        html,
      ]);
    }
    await this.pool.query('VACUUM (ANALYZE) bull_message');
    await this.pool.query('CHECKPOINT');
  }

  /** @throws when there is no such message */
  async htmlOf(id: string): Promise<string> {
    const { rows } = await this.pool.query<{ html: string }>({
      name: 'load',
      text: 'SELECT html FROM bull_message WHERE id = $1',
      values: [id],
    });
    if (!rows[0]) throw new Error('a job without a message');
    return rows[0].html;
  }

  /** Resolves when that one status is on disk. */
  async sent(id: string): Promise<void> {
    await this.pool.query({
      name: 'sent',
      text: `UPDATE bull_message SET state = 'SENT', sent_at = now() WHERE id = $1`,
      values: [id],
    });
  }

  /** Writes it in a moment, together with others. */
  sentSoon(id: string): void {
    this.waiting.push(id);
    if (this.waiting.length >= FLUSH_ROWS) this.flush();
    else
      this.timer ??= setTimeout(() => {
        this.flush();
      }, FLUSH_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ids = this.waiting;
    this.waiting = [];
    void this.pool.query(`UPDATE bull_message SET state = 'SENT', sent_at = now() WHERE id = ANY($1::uuid[])`, [ids]);
  }
}
