import { UnitOfWork } from '@libs/database';
import { testVerdict } from '@libs/deliverability';
import { domainOf, EngineClock, newId, notFound, type DomainError, type Issue, type MessageId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptAdmission } from './accept-admission.service';
import { asAccepted, newMessage } from './accept-message.policy';
import { chooseRoute, ownersOf, type Route, type Sender } from './accept-route.policy';
import { withinInlineLimit, type Checked, type Draft } from './accept.policy';
import { AcceptRepository, type AcceptedRow, type NewMessage, type Opened } from './accept.repository';
import type { Accepted, AcceptedEntry, Submitter } from './accepted';
import { ReadyOffers, type ReadyGroup } from './backlog-offer.service';
import { IdempotencyRepository, isLockTimeout, type RememberedCall } from './idempotency.repository';
import type { Message } from './message';
import { MessageRepository } from './message.repository';
import { IdempotencyInProgress, IdempotencyKeyReused, TenantPaused } from './sending.errors';

/** A call whose entries have been looked at by themselves. */
export interface AcceptCall {
  readonly key: string;
  readonly hash: Buffer;
  readonly checked: readonly Checked[];
}

export type AcceptAnswer = Accepted | { readonly error: DomainError };

type Decided =
  { readonly id: MessageId; readonly draft: Draft; readonly route: Route } | { readonly issues: readonly Issue[] };
type Written = { readonly row: NewMessage } | { readonly issues: readonly Issue[] };

/** A call that was not answered before, on its way through the transaction. */
interface Open<Entry> {
  readonly call: AcceptCall;
  readonly entries: readonly Entry[];
}

const RETRY_MS = 1_000;
/** How long a call waits for another one under its key that is under way, and how long others wait with it. */
const WAIT_ALONE_MS = 2_000;
const WAIT_TOGETHER_MS = 200;

/** The one transaction in which calls of a tenant are decided, remembered and written. */
@Injectable()
export class AcceptTransaction {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly rows: AcceptRepository,
    private readonly calls: IdempotencyRepository,
    private readonly messages: MessageRepository,
    private readonly admission: AcceptAdmission,
    private readonly offers: ReadyOffers,
  ) {}

  /** What the call would meet. Writes nothing. */
  async dryRun(by: Submitter, call: AcceptCall): Promise<Accepted> {
    return this.uow.forTenant(by.tenantId, async () => {
      const opened = await this.open(by, [call]);
      const refusal = refusalOf(opened);
      if (refusal || !opened) throw refusal ?? notFound('The tenant');
      const [open] = await this.decide(by, opened.sender, [call]);
      return {
        replayed: false,
        results: (open?.entries ?? []).map((entry) => ({ issues: 'issues' in entry ? entry.issues : [] })),
      };
    });
  }

  /** Takes calls in, each under a key of its own, and answers each at its place. All or none of them are written. */
  async take(by: Submitter, calls: readonly AcceptCall[]): Promise<AcceptAnswer[]> {
    try {
      const answers = await this.uow.forTenant(by.tenantId, () => this.takeInside(by, calls));
      return calls.map((call) => answers.get(call.key) ?? { error: this.inProgress() });
    } catch (error) {
      if (calls.length > 1 || !isLockTimeout(error)) throw error;
      return [{ error: this.inProgress() }];
    }
  }

  private async takeInside(by: Submitter, calls: readonly AcceptCall[]): Promise<Map<string, AcceptAnswer>> {
    const opened = await this.open(by, calls);
    const answers = await this.replays(by, calls, opened?.known ?? new Map<string, RememberedCall>());
    const fresh = calls.filter((call) => !answers.has(call.key));
    if (fresh.length === 0) return answers;
    const refusal = refusalOf(opened);
    if (refusal || !opened) {
      for (const call of fresh) answers.set(call.key, { error: refusal ?? notFound('The tenant') });
      return answers;
    }
    const at = this.clock.now();
    const { sender } = opened;
    const written = withSuppression(sender, opened.suppressed, await this.decide(by, sender, fresh));
    const taken = await this.write(by, at, sender, written);
    for (const { call, entries } of written) {
      if (!taken.has(call.key)) answers.set(call.key, answerOf(by, at, entries));
    }
    if (taken.size > 0) {
      const late = await this.calls.find(by.tenantId, by.mode, [...taken]);
      for (const [key, answer] of await this.replays(by, fresh, late)) answers.set(key, answer);
    }
    return answers;
  }

  private open(by: Submitter, calls: readonly AcceptCall[]): Promise<Opened | undefined> {
    const domains = new Set<string>();
    const suppressionKeys = new Set<string>();
    for (const { checked } of calls) {
      for (const one of checked) {
        if ('issues' in one) continue;
        domains.add(domainOf(one.draft.envelope.from.email));
        for (const address of recipientsOf(one.draft)) suppressionKeys.add(keyOf(address));
      }
    }
    return this.rows.open(by.tenantId, by.mode, {
      domains: [...new Set([...domains].flatMap(ownersOf))],
      keys: calls.map((call) => call.key),
      suppressionKeys: [...suppressionKeys],
      lockTimeoutMs: calls.length > 1 ? WAIT_TOGETHER_MS : WAIT_ALONE_MS,
    });
  }

  /** The answers that are known of earlier calls. */
  private async replays(
    by: Submitter,
    calls: readonly AcceptCall[],
    known: ReadonlyMap<string, RememberedCall>,
  ): Promise<Map<string, AcceptAnswer>> {
    const answers = new Map<string, AcceptAnswer>();
    if (known.size === 0) return answers;
    const ids = [...known.values()].flatMap(({ result }) => result.flatMap((entry) => ('id' in entry ? entry.id : [])));
    const found = new Map((await this.messages.findByIds(by.tenantId, ids)).map((message) => [message.id, message]));
    for (const { key, hash } of calls) {
      const earlier = known.get(key);
      if (!earlier) continue;
      if (!earlier.requestHash.equals(hash)) answers.set(key, { error: new IdempotencyKeyReused() });
      else answers.set(key, { replayed: true, results: resultsOf(earlier, found) });
    }
    return answers;
  }

  private async decide(by: Submitter, sender: Sender, calls: readonly AcceptCall[]): Promise<Open<Decided>[]> {
    const open = calls.map((call) => ({ call, entries: routed(call.checked, sender) }));
    const costs = open.flatMap(({ entries }) =>
      entries.map((entry) => ('draft' in entry ? recipientsOf(entry.draft).length : 0)),
    );
    const refusals = await this.admission.refusals(by, sender.limits.dayCap, costs);
    let place = 0;
    return open.map(({ call, entries }) => ({
      call,
      entries: entries.map((entry) => {
        const refusal = refusals[place];
        place += 1;
        return refusal && 'draft' in entry ? { issues: [refusal] } : entry;
      }),
    }));
  }

  /**
   * Writes what was accepted and answers the keys under which another call came first; of those nothing is written. A call
   * of which nothing was accepted is not remembered: mended, it may use its key again.
   */
  private async write(
    by: Submitter,
    at: Date,
    sender: Sender,
    open: readonly Open<Written>[],
  ): Promise<ReadonlySet<string>> {
    const remembered = open
      .filter(({ entries }) => entries.some((entry) => 'row' in entry))
      .map(({ call, entries }) => ({
        key: call.key,
        requestHash: call.hash,
        result: entries.map((entry) => ('row' in entry ? { id: entry.row.id } : entry)),
      }));
    if (remembered.length === 0) return new Set();
    const rows = open.flatMap(({ call, entries }) =>
      entries.flatMap((entry): AcceptedRow[] =>
        'row' in entry ? [{ idempotencyKey: call.key, message: entry.row }] : [],
      ),
    );
    const added = await this.rows.insert(by.tenantId, by.mode, at, remembered, rows);
    const messages = rows.flatMap((row) => (added.has(row.idempotencyKey) ? row.message : []));
    this.admission.took(
      by,
      messages.reduce((sum, message) => sum + message.nRcpt, 0),
    );
    this.offerAfterCommit(by, sender, messages);
    return new Set(remembered.map(({ key }) => key).filter((key) => !added.has(key)));
  }

  private offerAfterCommit(by: Submitter, sender: Sender, messages: readonly NewMessage[]): void {
    const groups = new Map<string, ReadyGroup & { messages: { id: MessageId; recipients: number }[] }>();
    for (const { id, state, stream, sendingAccountId, nRcpt } of messages) {
      if (state !== 'READY') continue;
      const name = `${sendingAccountId} ${stream}`;
      const known = groups.get(name);
      if (known) known.messages.push({ id, recipients: nRcpt });
      else {
        const group = { tenantId: by.tenantId, mode: by.mode, sendingAccountId, stream, limits: sender.limits };
        groups.set(name, { ...group, messages: [{ id, recipients: nRcpt }] });
      }
    }
    this.uow.onCommit(() => {
      // Not awaited: the customer's answer does not wait for a hint.
      void this.offers.offer([...groups.values()]);
    });
  }

  private inProgress(): IdempotencyInProgress {
    return new IdempotencyInProgress(new Date(this.clock.nowMs() + RETRY_MS));
  }
}

const overInlineLimit: Issue = {
  code: 'ATTACHMENT_TOO_LARGE',
  message:
    'The attachments of one call have at most 1 MB together, and those before this entry used it up. Use another call.',
  path: ['attachments'],
};

function refusalOf(opened: Opened | undefined): DomainError | undefined {
  return opened?.sender.state === 'PAUSED' ? new TenantPaused(opened.sender.pausedReason) : undefined;
}

/** The key under which a checked address would be suppressed (deliverability's suppressionKey of what is canonical). */
function keyOf(address: string): string {
  return address.toLowerCase();
}

function withSuppression(
  sender: Sender,
  listed: ReadonlySet<string>,
  open: readonly Open<Decided>[],
): readonly Open<Written>[] {
  const isSuppressed = (address: string) => {
    const verdict = testVerdict(keyOf(address));
    return verdict === undefined ? listed.has(keyOf(address)) : verdict === 'suppressed';
  };
  return open.map(({ call, entries }) => ({
    call,
    entries: entries.map((entry) =>
      'draft' in entry ? { row: newMessage(entry.id, entry.draft, entry.route, sender, isSuppressed) } : entry,
    ),
  }));
}

function routed(checked: readonly Checked[], sender: Sender): Decided[] {
  const fits = withinInlineLimit(checked.map((one) => ('draft' in one ? one.draft.attachmentBytes : 0)));
  return checked.map((one, index): Decided => {
    if ('issues' in one) return one;
    if (fits[index] !== true) return { issues: [overInlineLimit] };
    const id = newId<MessageId>();
    const choice = chooseRoute(one.draft, sender, id);
    return 'issues' in choice ? choice : { id, draft: one.draft, route: choice.route };
  });
}

function answerOf(by: Submitter, at: Date, entries: readonly Written[]): Accepted {
  const results = entries.map((entry): AcceptedEntry =>
    'row' in entry ? { message: asAccepted(by.tenantId, by.mode, at, entry.row) } : entry,
  );
  return { replayed: false, results };
}

function resultsOf(earlier: RememberedCall, found: ReadonlyMap<MessageId, Message>): AcceptedEntry[] {
  return earlier.result.map((entry): AcceptedEntry => {
    if (!('id' in entry)) return { issues: entry.issues.map(revived) };
    const message = found.get(entry.id);
    if (!message) throw new Error(`message ${entry.id} of an idempotent call is gone`);
    return { message };
  });
}

/** An issue that was stored as JSON. */
function revived(issue: Issue): Issue {
  return issue.retryAt === undefined ? issue : { ...issue, retryAt: new Date(issue.retryAt) };
}

function recipientsOf(draft: Draft): string[] {
  const { to, cc, bcc } = draft.envelope;
  return [...to, ...cc, ...bcc].map((one) => one.email);
}
