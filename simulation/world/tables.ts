import type { AttemptId, BatchId, LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import type { TenantLimits } from '@libs/quota';

type MessageState =
  'SCHEDULED' | 'READY' | 'INTENT' | 'SENT' | 'REJECTED' | 'IN_DOUBT' | 'EXPIRED' | 'CANCELED' | 'SUPPRESSED';

/** Times are milliseconds since 1970. */
export interface MessageRow {
  readonly tenantId: TenantId;
  readonly id: MessageId;
  readonly laneId: LaneId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly recipients: number;
  readonly policy: 'AT_LEAST_ONCE' | 'AT_MOST_ONCE';
  readonly createdMs: number;
  readonly scheduledMs: number | null;
  readonly expiresMs: number;
  accountId: SendingAccountId;
  state: MessageState;
  attemptNo: number;
  notBeforeMs: number | null;
}

export interface AttemptRow {
  readonly tenantId: TenantId;
  readonly id: AttemptId;
  readonly messageId: MessageId;
  readonly attemptNo: number;
  readonly batchId: BatchId;
  readonly accountId: SendingAccountId;
  readonly stream: Stream;
  readonly recipients: number;
  readonly createdMs: number;
  state: 'INTENT' | 'SENT' | 'REJECTED' | 'NOT_SENT' | 'IN_DOUBT';
  endedMs: number | null;
  errorCode: string | null;
  sendEventMs: number | null;
}

export interface BatchRow {
  readonly id: BatchId;
  readonly accountId: SendingAccountId;
  readonly worker: string;
  readonly bucketMs: number;
  readonly slotEndMs: number;
  state: 'OPEN' | 'SETTLED' | 'VOID';
  claimed: number;
}

export interface TenantRow {
  readonly id: TenantId;
  limits: TenantLimits;
  paused: boolean;
}

/** What the checker is told of rows. */
export interface TableEvents {
  /** A message leaves the state it may never leave. */
  illegal(message: MessageRow, to: MessageState): void;
  /** The time of a message is taken to be over. */
  expired(message: MessageRow): void;
  /** An attempt was changed, also by what is taken back. */
  attempt(attempt: AttemptRow): void;
}

/**
 * The rows of the send path in memory, with what the engine's statements find them by. Every change can be taken back
 * while a transaction is open; what no message may ever do is refused here.
 */
export class Tables {
  readonly messages = new Map<MessageId, MessageRow>();
  readonly attempts = new Map<AttemptId, AttemptRow>();
  readonly batches = new Map<BatchId, BatchRow>();
  readonly tenants = new Map<TenantId, TenantRow>();
  readonly openBatches = new Set<BatchRow>();
  readonly doubts = new Set<AttemptRow>();
  readonly scheduled = new Set<MessageRow>();
  private readonly readyLists = new Map<string, Map<MessageId, MessageRow>>();
  private readonly byBatch = new Map<BatchId, AttemptRow[]>();
  private readonly sent = new Map<SendingAccountId, Set<AttemptRow>>();
  private undo: (() => void)[] | undefined;

  constructor(private readonly events: TableEvents) {}

  begin(): void {
    if (this.undo) throw new Error('a transaction waited for something outside the database');
    this.undo = [];
  }

  get inTransaction(): boolean {
    return this.undo !== undefined;
  }

  commit(): void {
    this.undo = undefined;
  }

  rollback(): void {
    const steps = this.undo ?? [];
    this.undo = undefined;
    for (const step of steps.reverse()) step();
  }

  addMessage(row: MessageRow): void {
    this.messages.set(row.id, row);
    this.index(row);
    this.undo?.push(() => {
      this.unindex(row);
      this.messages.delete(row.id);
    });
  }

  setMessage(
    row: MessageRow,
    change: Partial<Pick<MessageRow, 'accountId' | 'state' | 'attemptNo' | 'notBeforeMs'>>,
  ): void {
    if (row.state === 'SENT' && change.state !== undefined && change.state !== 'SENT')
      this.events.illegal(row, change.state);
    const { accountId, state, attemptNo, notBeforeMs } = row;
    const put = (values: Partial<MessageRow>) => {
      this.unindex(row);
      Object.assign(row, values);
      this.index(row);
    };
    put(change);
    if (change.state === 'EXPIRED') this.events.expired(row);
    this.undo?.push(() => {
      put({ accountId, state, attemptNo, notBeforeMs });
    });
  }

  addAttempt(row: AttemptRow): void {
    this.attempts.set(row.id, row);
    const own = this.byBatch.get(row.batchId);
    if (own) own.push(row);
    else this.byBatch.set(row.batchId, [row]);
    this.undo?.push(() => {
      this.attempts.delete(row.id);
      const list = this.byBatch.get(row.batchId) ?? [];
      list.splice(list.indexOf(row), 1);
    });
  }

  setAttempt(
    row: AttemptRow,
    change: Partial<Pick<AttemptRow, 'state' | 'endedMs' | 'errorCode' | 'sendEventMs'>>,
  ): void {
    const { state, endedMs, errorCode, sendEventMs } = row;
    const put = (values: Partial<AttemptRow>) => {
      this.doubts.delete(row);
      this.sentOf(row.accountId).delete(row);
      Object.assign(row, values);
      if (row.state === 'IN_DOUBT') this.doubts.add(row);
      if (row.state === 'SENT') this.sentOf(row.accountId).add(row);
      this.events.attempt(row);
    };
    put(change);
    this.undo?.push(() => {
      put({ state, endedMs, errorCode, sendEventMs });
    });
  }

  /** Takes a doubt off the list for good: nobody will ever know. */
  endDoubt(row: AttemptRow): void {
    this.doubts.delete(row);
    this.undo?.push(() => {
      this.doubts.add(row);
    });
  }

  addBatch(row: BatchRow): void {
    this.batches.set(row.id, row);
    if (row.state === 'OPEN') this.openBatches.add(row);
    this.undo?.push(() => {
      this.batches.delete(row.id);
      this.openBatches.delete(row);
    });
  }

  setBatch(row: BatchRow, change: Partial<Pick<BatchRow, 'state' | 'claimed'>>): void {
    const { state, claimed } = row;
    const put = (values: Partial<BatchRow>) => {
      Object.assign(row, values);
      if (row.state === 'OPEN') this.openBatches.add(row);
      else this.openBatches.delete(row);
    };
    put(change);
    this.undo?.push(() => {
      put({ state, claimed });
    });
  }

  attemptsOf(batch: BatchId): readonly AttemptRow[] {
    return this.byBatch.get(batch) ?? [];
  }

  /** Whether SES has an earlier attempt of that message. */
  wasSent(message: MessageId, beforeNo: number): boolean {
    if (beforeNo <= 1) return false;
    return [...this.attempts.values()].some(
      (attempt) => attempt.messageId === message && attempt.attemptNo < beforeNo && attempt.state === 'SENT',
    );
  }

  sentOf(account: SendingAccountId): Set<AttemptRow> {
    const known = this.sent.get(account) ?? new Set<AttemptRow>();
    this.sent.set(account, known);
    return known;
  }

  /** Lines in which READY messages wait. */
  *lines(): Iterable<MessageRow> {
    for (const list of this.readyLists.values()) {
      for (const first of list.values()) {
        yield first;
        break;
      }
    }
  }

  /** READY messages of a tenant's stream on an account, in no order. */
  ready(account: SendingAccountId, stream: Stream, tenant: TenantId): ReadonlyMap<MessageId, MessageRow> {
    return this.readyLists.get(`${account} ${stream} ${tenant}`) ?? new Map<MessageId, MessageRow>();
  }

  /** Forgets what ended before then, so that a run of a month fits into memory. */
  prune(beforeMs: number, batchesBeforeMs: number, forget: (message: MessageRow) => void): void {
    for (const attempt of this.attempts.values()) {
      if (attempt.endedMs === null || attempt.endedMs >= beforeMs || attempt.state === 'IN_DOUBT') continue;
      if (this.batches.get(attempt.batchId)?.state === 'OPEN') continue;
      this.attempts.delete(attempt.id);
      this.sentOf(attempt.accountId).delete(attempt);
      this.byBatch.delete(attempt.batchId);
      const message = this.messages.get(attempt.messageId);
      if (message === undefined || message.attemptNo !== attempt.attemptNo) continue;
      if (message.state === 'READY' || message.state === 'INTENT') continue;
      forget(message);
      this.messages.delete(message.id);
    }
    for (const batch of this.batches.values()) {
      if (batch.state !== 'OPEN' && batch.bucketMs < batchesBeforeMs) this.batches.delete(batch.id);
    }
  }

  private index(row: MessageRow): void {
    if (row.state === 'SCHEDULED') this.scheduled.add(row);
    if (row.state !== 'READY') return;
    const key = `${row.accountId} ${row.stream} ${row.tenantId}`;
    const list = this.readyLists.get(key);
    if (list) list.set(row.id, row);
    else this.readyLists.set(key, new Map([[row.id, row]]));
  }

  private unindex(row: MessageRow): void {
    this.scheduled.delete(row);
    if (row.state === 'READY') this.readyLists.get(`${row.accountId} ${row.stream} ${row.tenantId}`)?.delete(row.id);
  }
}
