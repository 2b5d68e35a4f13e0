import { UnitOfWork } from '@libs/database';
import { domainOf, EngineClock, notFound, type DomainError, type MessageId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptAdmission } from './accept-admission.service';
import {
  answerOf,
  keyOf,
  recipientsOf,
  resultsOf,
  routed,
  withSuppression,
  type Decided,
  type Open,
  type Written,
} from './accept-entries.policy';
import { ownersOf, type Sender } from './accept-route.policy';
import {
  AcceptRepository,
  type AcceptedRow,
  type NewMessage,
  type Opened,
  type OpenRequest,
} from './accept.repository';
import type { AcceptCall, Accepted, Submitter } from './accepted';
import { ReadyOffers, type ReadyGroup } from './backlog-offer.service';
import { IdempotencyRepository, isLockTimeout, type RememberedCall } from './idempotency.repository';
import { MessageRepository } from './message.repository';
import { IdempotencyInProgress, IdempotencyKeyReused, TenantPaused } from './sending.errors';

export interface SubmittedCall {
  readonly by: Submitter;
  readonly call: AcceptCall;
}

export type AcceptAnswer = Accepted | { readonly error: DomainError };

const RETRY_MS = 1_000;
type Patience = Pick<OpenRequest, 'lockTimeoutMs' | 'waitsForMove'>;
/** How long a call waits for another one under its key that is under way, and how long others wait with it. */
const WAIT_ALONE: Patience = { lockTimeoutMs: 2_000, waitsForMove: true };
const WAIT_TOGETHER: Patience = { lockTimeoutMs: 20, waitsForMove: false };

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

  /** What the call would meet, a key that was used for something else included. Writes nothing. */
  async dryRun(by: Submitter, call: AcceptCall): Promise<Accepted> {
    return this.uow.forTenant(by.tenantId, async () => {
      const opened = await this.open(by, [call], WAIT_ALONE);
      const refusal = reuseOf(call, opened) ?? refusalOf(opened);
      if (refusal || typeof opened !== 'object') throw refusal ?? notFound('The tenant');
      const [open] = await this.decide(by, opened.sender, [call]);
      return {
        replayed: false,
        results: (open?.entries ?? []).map((entry) => ({ issues: 'issues' in entry ? entry.issues : [] })),
      };
    });
  }

  /** Takes a call in by itself: waits for what is under way under its key, and while mail of the tenant is being moved. */
  async take(by: Submitter, call: AcceptCall): Promise<AcceptAnswer> {
    try {
      const answers = await this.uow.forTenant(by.tenantId, () => this.takeInside(by, [call], WAIT_ALONE));
      return answers?.get(call.key) ?? { error: this.inProgress() };
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return { error: this.inProgress() };
    }
  }

  /**
   * Takes small calls in, no key twice, in one transaction: all or none of them are written. Each tenant's are decided and
   * written by statements of its own, which see its rows only. Answers each call at its place, or undefined where it would
   * have to wait while others do. Not to be called inside a customer's request.
   */
  async takeTogether(calls: readonly SubmittedCall[]): Promise<(AcceptAnswer | undefined)[]> {
    const parts = partsOf(calls);
    const answers = await this.uow.forTenants(
      parts.map(({ by }) => by.tenantId),
      async () => {
        const ended = await Promise.allSettled(
          parts.map((part) =>
            this.uow.confine(part.by.tenantId, () =>
              this.uow.forTenant(part.by.tenantId, () => this.takeInside(part.by, part.calls, WAIT_TOGETHER)),
            ),
          ),
        );
        // Only now: nobody's statement may come after the end of the transaction.
        return ended.map((one) => {
          if (one.status === 'rejected') throw one.reason;
          return one.value;
        });
      },
    );
    const found = new Map(parts.map(({ name }, place) => [name, answers[place]]));
    return calls.map(({ by, call }) => {
      const own = found.get(nameOf(by));
      return own && (own.get(call.key) ?? { error: this.inProgress() });
    });
  }

  /** Answers by key; undefined when the tenant's mail is being moved and the wait is not for that. */
  private async takeInside(
    by: Submitter,
    calls: readonly AcceptCall[],
    wait: Patience,
  ): Promise<Map<string, AcceptAnswer> | undefined> {
    const opened = await this.open(by, calls, wait);
    if (opened === 'moving') return undefined;
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

  private open(by: Submitter, calls: readonly AcceptCall[], wait: Patience): Promise<Opened | 'moving' | undefined> {
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
      ...wait,
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
    const now = this.clock.now();
    const open = calls.map((call) => ({ call, entries: routed(call.checked, sender, now) }));
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
    for (const { id, state, stream, sendingAccountId, laneId, nRcpt } of messages) {
      if (state !== 'READY') continue;
      const name = `${sendingAccountId} ${stream}`;
      const known = groups.get(name);
      if (known) known.messages.push({ id, recipients: nRcpt });
      else {
        // With its lane: a tenant that the ledger does not know yet would be granted past the caps of a warm-up.
        const limits = { ...sender.limits, laneId };
        const group = { tenantId: by.tenantId, mode: by.mode, sendingAccountId, stream, limits };
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

interface Part {
  readonly name: string;
  readonly by: Submitter;
  readonly calls: AcceptCall[];
}

/**
 * The calls of each tenant and mode, always in the same order, and keys too (INSERT): of two transactions with the same
 * calls one waits for the other, and never both.
 */
function partsOf(calls: readonly SubmittedCall[]): Part[] {
  const parts = new Map<string, Part>();
  for (const { by, call } of calls) {
    const name = nameOf(by);
    const part = parts.get(name) ?? { name, by, calls: [] };
    part.calls.push(call);
    parts.set(name, part);
  }
  return [...parts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf(by: Submitter): string {
  return `${by.tenantId} ${by.mode}`;
}

function reuseOf({ key, hash }: AcceptCall, opened: Opened | 'moving' | undefined): DomainError | undefined {
  const earlier = typeof opened === 'object' ? opened.known.get(key) : undefined;
  return earlier && !earlier.requestHash.equals(hash) ? new IdempotencyKeyReused() : undefined;
}

function refusalOf(opened: Opened | 'moving' | undefined): DomainError | undefined {
  return typeof opened === 'object' && opened.sender.state === 'PAUSED'
    ? new TenantPaused(opened.sender.pausedReason)
    : undefined;
}
