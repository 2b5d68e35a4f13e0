import { Pool } from 'pg';

const FLUSH_MS = 25;
const FLUSH_ROWS = 500;

/**
 * The application's own table of messages, as a sane Bull application would keep it: a row per message before the run, and
 * statuses written together, some hundred in one statement. The best variant: row by row it would be several times slower.
 */
export class StatusTable {
  private readonly pool: Pool;
  private waiting: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 4 });
  }

  async create(ids: readonly string[]): Promise<void> {
    await this.pool.query(
      'CREATE TABLE bull_message (id uuid PRIMARY KEY, state text NOT NULL, sent_at timestamptz) WITH (fillfactor = 70)',
    );
    for (let from = 0; from < ids.length; from += 10_000) {
      const page = ids.slice(from, from + 10_000);
      await this.pool.query(`INSERT INTO bull_message SELECT id, 'READY' FROM unnest($1::uuid[]) AS id`, [page]);
    }
    await this.pool.query('VACUUM (ANALYZE) bull_message');
    await this.pool.query('CHECKPOINT');
  }

  sent(id: string): void {
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
