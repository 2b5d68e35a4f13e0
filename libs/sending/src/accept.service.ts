import { DomainError, EngineClock, type Issue } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptCoalescer } from './accept-coalescer.service';
import type { EmailInput } from './accept-input';
import { AcceptTransaction } from './accept-transaction.service';
import type { AcceptCall, Accepted, AcceptedEntry, Submitter } from './accepted';
import { batchSizeIssue, checkEmail, idempotencyKeyIssue } from './accept.policy';
import { requestHash } from './idempotency.policy';

export interface AcceptBatch {
  readonly idempotencyKey: string;
  readonly emails: readonly EmailInput[];
  /** Checks everything and writes nothing. */
  readonly dryRun?: boolean;
}

export interface AcceptSingle {
  readonly idempotencyKey: string;
  readonly email: EmailInput;
  readonly dryRun?: boolean;
}

/**
 * Takes mail in: when this answers with a message, the message is committed and will be sent or accounted for. Not to be
 * called inside a unit of work: the transaction is shared with other calls of the tenant.
 */
@Injectable()
export class AcceptService {
  constructor(
    private readonly clock: EngineClock,
    private readonly coalescer: AcceptCoalescer,
    private readonly transaction: AcceptTransaction,
  ) {}

  /**
   * Up to 1,000 messages. Entries stand alone; paths of their issues start with `emails`, index.
   * @throws DomainError for what concerns the whole call: INVALID_INPUT, BATCH_TOO_LARGE, TENANT_PAUSED,
   *   IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS
   */
  async accept(by: Submitter, call: AcceptBatch): Promise<Accepted> {
    const wrong = [idempotencyKeyIssue(call.idempotencyKey), batchSizeIssue(call.emails.length)];
    DomainError.throwIfAny(wrong.filter((issue) => issue !== undefined));
    const { replayed, results } = await this.take(by, call);
    return { replayed, results: results.map((entry, index) => placed(entry, ['emails', String(index)])) };
  }

  /** One message; paths of its issues start with `email`. Throws as `accept` does. */
  async acceptOne(
    by: Submitter,
    call: AcceptSingle,
  ): Promise<{ readonly replayed: boolean; readonly result: AcceptedEntry }> {
    const wrong = idempotencyKeyIssue(call.idempotencyKey);
    if (wrong) {
      // Whoever mends the key should not meet the next mistake only then.
      const checked = checkEmail(call.email, this.clock.nowMs());
      const more = 'issues' in checked ? checked.issues.map((issue) => under(issue, ['email'])) : [];
      throw new DomainError(wrong, ...more);
    }
    const { replayed, results } = await this.take(by, { ...call, emails: [call.email] });
    return { replayed, result: placed(results[0] ?? { issues: [] }, ['email']) };
  }

  private take(by: Submitter, { idempotencyKey, emails, dryRun }: AcceptBatch): Promise<Accepted> {
    const nowMs = this.clock.nowMs();
    const call: AcceptCall = {
      key: idempotencyKey,
      hash: requestHash(emails),
      checked: emails.map((email) => checkEmail(email, nowMs)),
    };
    return dryRun === true ? this.transaction.dryRun(by, call) : this.coalescer.take(by, call);
  }
}

function under(issue: Issue, prefix: readonly string[]): Issue {
  return { ...issue, path: [...prefix, ...(issue.path ?? [])] };
}

function placed(entry: AcceptedEntry, prefix: readonly string[]): AcceptedEntry {
  return 'issues' in entry ? { issues: entry.issues.map((issue) => under(issue, prefix)) } : entry;
}
