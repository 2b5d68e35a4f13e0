import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { JobDefinition } from './job-definition';

export interface OutboxRow {
  readonly id: string;
  readonly job: string;
  readonly payload: unknown;
}

@Injectable()
export class OutboxRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async add<Payload>(job: JobDefinition<Payload>, payload: Payload): Promise<void> {
    await this.uow.query('INSERT INTO outbox (job, payload) VALUES ($1, $2)', [
      job.name,
      JSON.stringify(job.payload.parse(payload)),
    ]);
  }

  async addAll<Payload>(job: JobDefinition<Payload>, payloads: readonly Payload[]): Promise<void> {
    await this.uow.query('INSERT INTO outbox (job, payload) SELECT $1, jsonb_array_elements($2::jsonb)', [
      job.name,
      JSON.stringify(payloads.map((payload) => job.payload.parse(payload))),
    ]);
  }

  /** Outside of any unit: whether a row of these jobs waits that is committed. */
  async isEmpty(jobs: readonly string[]): Promise<boolean> {
    return (await this.uow.look('SELECT true FROM outbox WHERE job = ANY($1::text[]) LIMIT 1', [jobs])).length === 0;
  }

  /** The oldest rows of these jobs after that id which no other process is draining, locked until this unit ends. */
  take(jobs: readonly string[], after: string, limit: number): Promise<OutboxRow[]> {
    return this.uow.prepared<OutboxRow>(
      `SELECT id, job, payload FROM outbox WHERE job = ANY($1::text[]) AND id > $2
        ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [jobs, after, limit],
    );
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.uow.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids]);
  }
}
