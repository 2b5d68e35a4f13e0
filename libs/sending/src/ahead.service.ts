import { Timers, type MessageId, type Mode, type Stream, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { LimitsRepository, type Ahead } from './limits.repository';

interface Counted extends Ahead {
  /** Up to this id, itself left out. */
  readonly id: string;
  readonly atMs: number;
}

/** A queue this long is not counted from its start again at once: who hands in a campaign asks with every call. */
const LONG = 10_000;
/** Real milliseconds for which its start counts as known. What has gone meanwhile is little beside it. */
const FRESH_MS = 2_000;
const MAX_QUEUES = 10_000;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff' as MessageId;

/** What goes before a tenant's own waiting messages. */
@Injectable()
export class AheadService {
  private readonly counted = new Map<string, Counted>();

  constructor(
    private readonly rows: LimitsRepository,
    private readonly timers: Timers,
  ) {}

  /** Ahead of each of these READY messages: its stream's older ones, and before marketing mail all transactional mail. */
  async of(tenant: TenantId, mode: Mode, stream: Stream, ids: readonly MessageId[]): Promise<Map<MessageId, Ahead>> {
    if (ids.length === 0) return new Map();
    const own = await this.inStream(tenant, mode, stream, ids);
    if (stream !== 'MARKETING') return own;
    const urgent = (await this.inStream(tenant, mode, 'TRANSACTIONAL', [LAST_ID])).get(LAST_ID);
    return urgent ? eachWith(own, urgent) : own;
  }

  private async inStream(
    tenant: TenantId,
    mode: Mode,
    stream: Stream,
    ids: readonly MessageId[],
  ): Promise<Map<MessageId, Ahead>> {
    const [first = LAST_ID] = [...ids].sort();
    const name = `${mode} ${stream} ${tenant}`;
    const now = this.timers.monotonicMs();
    const start = this.counted.get(name);
    if (start && start.id <= first && now - start.atMs < FRESH_MS) {
      return eachWith(await this.rows.ahead(tenant, mode, stream, ids, start.id), start);
    }
    const ahead = await this.rows.ahead(tenant, mode, stream, ids, FIRST_ID);
    const found = ahead.get(first);
    if (this.counted.size >= MAX_QUEUES) this.counted.clear();
    if (found && found.messages >= LONG) this.counted.set(name, { ...found, id: first, atMs: now });
    return ahead;
  }
}

function eachWith(list: ReadonlyMap<MessageId, Ahead>, more: Ahead): Map<MessageId, Ahead> {
  return new Map(
    [...list].map(([id, { messages, recipients }]) => [
      id,
      { messages: messages + more.messages, recipients: recipients + more.recipients },
    ]),
  );
}
