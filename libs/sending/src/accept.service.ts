import { UnitOfWork } from '@libs/database';
import { SuppressionService } from '@libs/deliverability';
import {
  domainOf,
  DomainError,
  EngineClock,
  notFound,
  type ApiKeyId,
  type Issue,
  type Mode,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { admit } from './accept-admission.policy';
import type { EmailInput } from './accept-input';
import { asAccepted, newMessage } from './accept-message.policy';
import { batchSizeIssue, checkEmail, idempotencyKeyIssue, withinInlineLimit, type Draft } from './accept.policy';
import { AcceptRepository, type NewMessage } from './accept.repository';
import { chooseRoute, ownersOf, type Route, type Sender } from './accept-route.policy';
import { ReadyOffers } from './backlog-offer.service';
import { BacklogRepository } from './backlog.repository';
import { requestHash } from './idempotency.policy';
import { IdempotencyRepository, type RememberedEntry } from './idempotency.repository';
import type { Message } from './message';
import { MessageRepository } from './message.repository';
import { IdempotencyInProgress, IdempotencyKeyReused, TenantPaused } from './sending.errors';
import { SendingSettings } from './sending.settings';

/** On whose behalf mail is handed in. */
export interface Submitter {
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly keyId?: ApiKeyId;
}

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

/** What became of one entry: a durable message, or everything wrong with it (nothing, for a dry run that would do). */
export type AcceptedEntry = { readonly message: Message } | { readonly issues: readonly Issue[] };

export interface Accepted {
  /** True when this very request was answered before; the results are those of then. */
  readonly replayed: boolean;
  readonly results: readonly AcceptedEntry[];
}

type Decided = { readonly draft: Draft; readonly route: Route } | { readonly issues: readonly Issue[] };
type Written = { readonly row: NewMessage } | { readonly issues: readonly Issue[] };

/** Takes mail in: when this answers with a message, the message is committed and will be sent or accounted for. */
@Injectable()
export class AcceptService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly rows: AcceptRepository,
    private readonly calls: IdempotencyRepository,
    private readonly messages: MessageRepository,
    private readonly backlog: BacklogRepository,
    private readonly suppressions: SuppressionService,
    private readonly offers: ReadyOffers,
    private readonly settings: SendingSettings,
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

  private async take(by: Submitter, call: AcceptBatch): Promise<Accepted> {
    const hash = requestHash(call.emails);
    return this.uow.forTenant(by.tenantId, async () => {
      if (call.dryRun !== true) {
        const earlier = await this.replay(by, call.idempotencyKey, hash);
        if (earlier) return earlier;
        await this.backlog.share(by.tenantId);
      }
      const at = this.clock.now();
      const { decided, sender } = await this.decide(by, call.emails, at.getTime());
      if (call.dryRun === true) {
        return {
          replayed: false,
          results: decided.map((entry) => ({ issues: 'issues' in entry ? entry.issues : [] })),
        };
      }
      return this.write(
        by,
        call.idempotencyKey,
        hash,
        at,
        sender,
        await this.withSuppression(by.tenantId, sender, decided),
      );
    });
  }

  /** The answer of an earlier call under the key, if there was one. */
  private async replay(by: Submitter, key: string, hash: Buffer): Promise<Accepted | undefined> {
    const known = await this.calls.find(by.tenantId, by.mode, key);
    if (!known) return undefined;
    if (!known.requestHash.equals(hash)) throw new IdempotencyKeyReused();
    const ids = known.result.flatMap((entry) => ('id' in entry ? [entry.id] : []));
    const found = new Map((await this.messages.findByIds(by.tenantId, ids)).map((message) => [message.id, message]));
    const results = known.result.map((entry): AcceptedEntry => {
      if (!('id' in entry)) return { issues: entry.issues.map(revived) };
      const message = found.get(entry.id);
      if (!message) throw new Error(`message ${entry.id} of an idempotent call is gone`);
      return { message };
    });
    return { replayed: true, results };
  }

  private async decide(
    by: Submitter,
    emails: readonly EmailInput[],
    nowMs: number,
  ): Promise<{ readonly decided: readonly Decided[]; readonly sender: Sender }> {
    const checked = emails.map((email) => checkEmail(email, nowMs));
    const fits = withinInlineLimit(checked.map((one) => ('draft' in one ? one.draft.attachmentBytes : 0)));
    const domains = new Set(
      checked.flatMap((one) => ('draft' in one ? ownersOf(domainOf(one.draft.envelope.from.email)) : [])),
    );
    const sender = await this.rows.sender(by.tenantId, by.mode, [...domains]);
    if (!sender) throw notFound('The tenant');
    if (sender.state === 'PAUSED') throw new TenantPaused(sender.pausedReason);
    const routed = checked.map((one, index): Decided => {
      if ('issues' in one) return one;
      if (fits[index] !== true) return { issues: [overInlineLimit] };
      const choice = chooseRoute(one.draft, sender);
      return 'issues' in choice ? choice : { draft: one.draft, route: choice.route };
    });
    return { decided: await this.admitted(by, sender, routed, nowMs), sender };
  }

  private async admitted(
    by: Submitter,
    sender: Sender,
    entries: readonly Decided[],
    nowMs: number,
  ): Promise<readonly Decided[]> {
    const { dayCap } = sender.limits;
    if (dayCap === null || !entries.some((entry) => 'draft' in entry)) return entries;
    const days = this.settings.admissionDays;
    const waiting = await this.rows.waiting(by.tenantId, by.mode, dayCap * BigInt(days));
    const costs = entries.map((entry) => ('draft' in entry ? recipientsOf(entry.draft).length : 0));
    const verdicts = admit({ waiting, dayCap, days }, costs, nowMs);
    return entries.map((entry, index) => {
      const refusal = 'draft' in entry ? verdicts[index] : undefined;
      return refusal ? { issues: [refusal] } : entry;
    });
  }

  private async withSuppression(
    tenant: TenantId,
    sender: Sender,
    entries: readonly Decided[],
  ): Promise<readonly Written[]> {
    const addresses = new Set(entries.flatMap((entry) => ('draft' in entry ? recipientsOf(entry.draft) : [])));
    const suppressed = await this.suppressions.suppressed(tenant, [...addresses]);
    return entries.map((entry) =>
      'draft' in entry ? { row: newMessage(entry.draft, entry.route, sender, suppressed) } : entry,
    );
  }

  private async write(
    by: Submitter,
    key: string,
    hash: Buffer,
    at: Date,
    sender: Sender,
    entries: readonly Written[],
  ): Promise<Accepted> {
    const rows = entries.flatMap((entry) => ('row' in entry ? [entry.row] : []));
    if (rows.length > 0) {
      const result = entries.map((entry): RememberedEntry => ('row' in entry ? { id: entry.row.id } : entry));
      const first = await this.calls.remember(by.tenantId, by.mode, key, { requestHash: hash, result }, at);
      if (first === 'busy') throw new IdempotencyInProgress(new Date(at.getTime() + 1_000));
      if (first === 'taken') {
        const earlier = await this.replay(by, key, hash);
        if (earlier) return earlier;
        throw new IdempotencyInProgress(new Date(at.getTime() + 1_000));
      }
      await this.rows.insert(
        by.tenantId,
        by.mode,
        at,
        rows.map((message) => ({ idempotencyKey: key, message })),
      );
      this.offerAfterCommit(by.tenantId, sender, rows);
    }
    // A call of which nothing was accepted is not remembered: mended, it may use its key again.
    const results = entries.map((entry): AcceptedEntry =>
      'row' in entry ? { message: asAccepted(by.tenantId, by.mode, at, entry.row) } : entry,
    );
    return { replayed: false, results };
  }

  private offerAfterCommit(tenantId: TenantId, sender: Sender, rows: readonly NewMessage[]): void {
    const ready = rows.filter((row) => row.state === 'READY');
    const byRoute = new Map<string, NewMessage[]>();
    for (const row of ready) {
      const name = `${row.sendingAccountId} ${row.stream}`;
      const group = byRoute.get(name);
      if (group) group.push(row);
      else byRoute.set(name, [row]);
    }
    this.uow.onCommit(() => {
      // Not awaited: the customer's answer does not wait for a hint.
      void this.offers.offer(
        [...byRoute.values()].flatMap((group) => {
          const [head] = group;
          if (!head) return [];
          const messages = group.map((row) => ({ id: row.id, recipients: row.nRcpt }));
          return [
            { tenantId, sendingAccountId: head.sendingAccountId, stream: head.stream, limits: sender.limits, messages },
          ];
        }),
      );
    });
  }
}

const overInlineLimit: Issue = {
  code: 'ATTACHMENT_TOO_LARGE',
  message:
    'The attachments of one call have at most 1 MB together, and those before this entry used it up. Use another call.',
  path: ['attachments'],
};

function recipientsOf(draft: Draft): string[] {
  const { to, cc, bcc } = draft.envelope;
  return [...to, ...cc, ...bcc].map((one) => one.email);
}

function under(issue: Issue, prefix: readonly string[]): Issue {
  return { ...issue, path: [...prefix, ...(issue.path ?? [])] };
}

function placed(entry: AcceptedEntry, prefix: readonly string[]): AcceptedEntry {
  return 'issues' in entry ? { issues: entry.issues.map((issue) => under(issue, prefix)) } : entry;
}

/** An issue that was stored as JSON. */
function revived(issue: Issue): Issue {
  return issue.retryAt === undefined ? issue : { ...issue, retryAt: new Date(issue.retryAt) };
}
