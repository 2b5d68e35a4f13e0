import type { BatchId, TenantId } from '@libs/kernel';
import { MOST_DOUBLINGS, OFTEN, verdictOf, WAIT_PER_ATTEMPT_MS } from '../../libs/sending/src/engine/outcome.policy';
import type { AttemptOutcome, OutcomeRepository } from '../../libs/sending/src/engine/outcome.repository';
import type { Tables } from './tables';

/** What OutcomeRepository's statements mean, on the tables in memory. */
export class OutcomeRows implements Pick<OutcomeRepository, keyof OutcomeRepository> {
  constructor(private readonly tables: Tables) {}

  within(): this {
    return this;
  }

  apply(outcomes: readonly AttemptOutcome[]): Promise<void> {
    for (const outcome of outcomes) this.applyOne(outcome);
    return Promise.resolve();
  }

  /** Tables in memory take every word. */
  applyWithoutWords(outcome: AttemptOutcome): Promise<void> {
    return this.apply([outcome]);
  }

  endInDoubt(): Promise<void> {
    return Promise.reject(new Error('tables in memory take every end'));
  }

  usage(batch: BatchId): ReturnType<OutcomeRepository['usage']> {
    const perTenant = new Map<TenantId, { tenantId: TenantId; used: number; refused: number }>();
    for (const { tenantId, state, errorCode, recipients } of this.tables.attemptsOf(batch)) {
      const entry = perTenant.get(tenantId) ?? { tenantId, used: 0, refused: 0 };
      perTenant.set(tenantId, entry);
      if (state !== 'NOT_SENT' && state !== 'REJECTED') entry.used += recipients;
      else if (errorCode !== 'unstarted') entry.refused += recipients;
    }
    return Promise.resolve([...perTenant.values()]);
  }

  settleBatches(batches: Parameters<OutcomeRepository['settleBatches']>[0]): Promise<void> {
    for (const { batchId, used } of batches) {
      const row = this.tables.batches.get(batchId);
      if (row?.state === 'OPEN') this.tables.setBatch(row, { state: 'SETTLED', claimed: used });
    }
    return Promise.resolve();
  }

  openAttempts(batch: BatchId): ReturnType<OutcomeRepository['openAttempts']> {
    const open = this.tables.attemptsOf(batch).filter((attempt) => attempt.state === 'INTENT');
    return Promise.resolve(open.map(({ tenantId, messageId, id }) => ({ tenantId, messageId, attemptId: id })));
  }

  abandoned(before: Date, limit: number): ReturnType<OutcomeRepository['abandoned']> {
    const rows = [...this.tables.openBatches].filter((batch) => batch.slotEndMs < before.getTime());
    rows.sort((a, b) => a.slotEndMs - b.slotEndMs);
    return Promise.resolve(
      rows.slice(0, limit).map(({ id, accountId, worker }) => ({ id, sendingAccountId: accountId, worker })),
    );
  }

  /** An attempt ends once; the message follows only if it is still its last one. */
  private applyOne({ attemptId, end, at }: AttemptOutcome): void {
    const verdict = verdictOf(end);
    const attempt = this.tables.attempts.get(attemptId);
    if (!attempt) return;
    if (attempt.state !== 'INTENT' && (attempt.state !== 'IN_DOUBT' || verdict.attempt === 'IN_DOUBT')) return;
    this.tables.setAttempt(attempt, {
      state: verdict.attempt,
      endedMs: at.getTime(),
      errorCode: end.kind === 'sent' ? null : end.code,
    });
    const message = this.tables.messages.get(attempt.messageId);
    if (message?.attemptNo !== attempt.attemptNo || (message.state !== 'INTENT' && message.state !== 'IN_DOUBT'))
      return;
    // What events have proven of an earlier attempt meanwhile.
    if (this.tables.wasSent(message.id, attempt.attemptNo)) {
      this.tables.setMessage(message, { state: 'SENT', notBeforeMs: null });
      return;
    }
    const doublings = verdict.waitGrows ? Math.min(attempt.attemptNo - 1, MOST_DOUBLINGS) : 0;
    const often =
      verdict.message === 'READY' && attempt.attemptNo > OFTEN ? attempt.attemptNo * WAIT_PER_ATTEMPT_MS : 0;
    const waitMs = Math.max(verdict.waitMs * 2 ** doublings, often);
    const notBeforeMs = waitMs > 0 ? at.getTime() + waitMs : null;
    this.tables.setMessage(message, { state: verdict.message, notBeforeMs });
  }
}
