import { databaseClock, UnitOfWork } from '@libs/database';
import { EngineClock, newIdAt, scaleTime, type EventId, type SuppressionId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

export interface SuppressionRow {
  readonly id: SuppressionId;
  readonly address: string;
  readonly reason: string;
  readonly causeEventId: EventId | null;
  readonly createdAt: Date;
}

export interface NewSuppression {
  readonly tenantId: TenantId;
  /** A suppression key (suppression.policy.ts). */
  readonly address: string;
  readonly reason: string;
  readonly causeEventId: EventId | null;
}

export interface SuppressionQuery {
  readonly limit: number;
  readonly backward: boolean;
  readonly cursor: string | null;
  readonly reason: string | null;
  readonly address: string | null;
}

const COLUMNS = `id, address, reason, cause_event_id AS "causeEventId", created_at AS "createdAt"`;

const MATCHES = `FROM suppression
  WHERE tenant_id = $1 AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR address = $4)`;
const PAGE_FORWARDS = `SELECT ${COLUMNS} ${MATCHES} AND ($2::uuid IS NULL OR id < $2::uuid) ORDER BY id DESC LIMIT $5`;
const PAGE_BACKWARDS = `SELECT ${COLUMNS} ${MATCHES} AND ($2::uuid IS NULL OR id > $2::uuid) ORDER BY id LIMIT $5`;
const FIND = `SELECT ${COLUMNS} FROM suppression WHERE tenant_id = $1 AND id = ANY($2::uuid[])`;

@Injectable()
export class SuppressionRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Adds what is not there yet and answers how many that were.
   *
   * Claims look only at what is younger than their mail, and find the youngest by its id: with the time of a host whose clock
   * is behind they would not see it. Both are by PostgreSQL's clock unless this host's is ahead, which costs claims a look.
   */
  async add(entries: readonly NewSuppression[]): Promise<number> {
    if (entries.length === 0) return 0;
    const realMs = Math.max(this.clock.hostMs(), await databaseClock(this.uow));
    const rows = await this.uow.query(
      `INSERT INTO suppression (tenant_id, id, address, reason, cause_event_id, created_at)
       SELECT tenant_id, id, address, reason, cause, $6
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[]) AS e(tenant_id, id, address, reason, cause)
        ORDER BY tenant_id, address
       ON CONFLICT (tenant_id, address) DO NOTHING
       RETURNING id`,
      [
        entries.map((entry) => entry.tenantId),
        entries.map((_, place) => newIdAt<SuppressionId>(realMs, place)),
        entries.map((entry) => entry.address),
        entries.map((entry) => entry.reason),
        entries.map((entry) => entry.causeEventId),
        new Date(scaleTime(realMs, this.clock.scale)),
      ],
    );
    return rows.length;
  }

  /** Newest first, or oldest first when read backwards; one row more than asked tells whether there are others. */
  page(tenant: TenantId, query: SuppressionQuery): Promise<SuppressionRow[]> {
    return this.uow.query<SuppressionRow>(query.backward ? PAGE_BACKWARDS : PAGE_FORWARDS, [
      tenant,
      query.cursor,
      query.reason,
      query.address,
      query.limit + 1,
    ]);
  }

  findByIds(tenant: TenantId, ids: readonly string[]): Promise<SuppressionRow[]> {
    return this.uow.query<SuppressionRow>(FIND, [tenant, ids]);
  }
}
