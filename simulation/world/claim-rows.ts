import type { SendingAccount } from '@libs/fleet';
import type { AttemptId } from '@libs/kernel';
import type { Candidate } from '../../libs/sending/src/engine/claim.policy';
import type {
  BatchOwner,
  ClaimRepository,
  IntendedAttempt,
  IntendedMessage,
  Key,
  RefusedWhy,
} from '../../libs/sending/src/engine/claim.repository';
import type { Ticket } from '../../libs/sending/src/engine/dispatch.jobs';
import type { StoredContent } from '../../libs/sending/src/stored-content';
import type { SimulatedFleet } from './fleet';
import type { Ids } from './ids';
import type { BatchRow, MessageRow, Tables } from './tables';

const contents = new Map<number, StoredContent>();
const texts = new Map<number, string>();

/** The same mail for every message of that many recipients: only their number matters here. */
function contentFor(recipients: number): StoredContent {
  const known = contents.get(recipients);
  if (known) return known;
  const address = (n: number) => ({ email: `someone-${String(n)}@example.com` });
  const content: StoredContent = {
    from: { email: 'news@example.org' },
    to: Array.from({ length: recipients }, (_, n) => address(n)),
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Simulated',
    text: 'Simulated',
    headers: [],
    attachments: [],
  };
  contents.set(recipients, content);
  return content;
}

function textFor(recipients: number): string {
  const known = texts.get(recipients) ?? JSON.stringify(contentFor(recipients));
  texts.set(recipients, known);
  return known;
}

function isUsable(account: SendingAccount | undefined): boolean {
  return account?.sendingEnabled === true && account.state !== 'PAUSED' && account.state !== 'SUSPENDED';
}

/** What ClaimRepository's statements mean, on the tables in memory. */
export class ClaimRows implements Pick<ClaimRepository, keyof ClaimRepository> {
  constructor(
    private readonly tables: Tables,
    private readonly fleet: SimulatedFleet,
    private readonly ids: Ids,
    private readonly onClaim: (attempt: AttemptId) => void,
  ) {}

  within(): this {
    return this;
  }

  /** In one statement: refused for another epoch, an unusable account or a batch that is somebody's. */
  async claim(ticket: Ticket, worker: string, now: Date): Promise<IntendedAttempt[] | undefined> {
    const account = this.fleet.find(ticket.sendingAccountId);
    if (String(account?.epoch) !== ticket.epoch || !isUsable(account)) return undefined;
    if (this.tables.batches.has(ticket.batchId)) return undefined;
    this.tables.addBatch({
      id: ticket.batchId,
      accountId: ticket.sendingAccountId,
      worker,
      bucketMs: ticket.bucketStartMs,
      slotEndMs: ticket.deadlineMs,
      state: 'OPEN',
      claimed: 0,
    });
    const candidates = await this.candidates(ticket, ticket.messages, now);
    const free = candidates.filter((candidate) => candidate.tenantActive);
    return this.intend(
      ticket,
      free.map(({ content, ...rest }) => ({ ...rest, content, recipients: content.to.length })),
      now,
    );
  }

  refusal(ticket: Ticket): Promise<RefusedWhy> {
    const account = this.fleet.find(ticket.sendingAccountId);
    if (String(account?.epoch) !== ticket.epoch) return Promise.resolve('epoch');
    return Promise.resolve(isUsable(account) ? 'taken' : 'account');
  }

  candidates(ticket: Ticket, messages: readonly Key[], now: Date): Promise<Candidate[]> {
    const rows = messages.flatMap(({ id }) => this.tables.messages.get(id) ?? []);
    return Promise.resolve(
      rows.filter((row) => isClaimable(row, ticket, now.getTime())).map((row) => this.candidate(row)),
    );
  }

  intend(ticket: Ticket, messages: readonly IntendedMessage[], now: Date): Promise<IntendedAttempt[]> {
    const intended = messages.flatMap((message): IntendedAttempt[] => {
      const row = this.tables.messages.get(message.id);
      if (row?.state !== 'READY') return [];
      const attemptNo = row.attemptNo + 1;
      const attemptId = this.ids.next<AttemptId>();
      this.tables.setMessage(row, { state: 'INTENT', attemptNo, notBeforeMs: null });
      this.tables.addAttempt({
        tenantId: row.tenantId,
        id: attemptId,
        messageId: row.id,
        attemptNo,
        batchId: ticket.batchId,
        accountId: ticket.sendingAccountId,
        stream: row.stream,
        recipients: message.recipients,
        createdMs: now.getTime(),
        state: 'INTENT',
        endedMs: null,
        errorCode: null,
        sendEventMs: null,
      });
      this.onClaim(attemptId);
      const { tenantId, id, recipients, stream } = message;
      const content = textFor(recipients);
      return [{ tenantId, id, attemptId, recipients, stream, configurationSet: 'set', suppressed: [], content }];
    });
    const batch = this.batch(ticket.batchId);
    const claimed = intended.reduce((sum, attempt) => sum + attempt.recipients, batch.claimed);
    this.tables.setBatch(batch, { claimed });
    return Promise.resolve(intended);
  }

  /** Lanes do not change in the simulation. */
  relane(): Promise<void> {
    return Promise.resolve();
  }

  suppress(messages: readonly Candidate[]): Promise<void> {
    for (const { id } of messages) this.change(id, { state: 'SUPPRESSED' });
    return Promise.resolve();
  }

  wait(messages: Parameters<ClaimRepository['wait']>[0]): Promise<void> {
    for (const { id, notBefore } of messages) this.change(id, { notBeforeMs: notBefore.getTime() });
    return Promise.resolve();
  }

  tombstone(...[id, account, worker, , bucket, now]: Parameters<ClaimRepository['tombstone']>): Promise<BatchOwner> {
    if (!this.tables.batches.has(id)) {
      this.tables.addBatch({
        id,
        accountId: account,
        worker,
        bucketMs: bucket.getTime(),
        slotEndMs: now.getTime(),
        state: 'VOID',
        claimed: 0,
      });
    }
    const { state, worker: owner } = this.batch(id);
    return Promise.resolve({ state, worker: owner });
  }

  private candidate(row: MessageRow): Candidate {
    return {
      tenantId: row.tenantId,
      id: row.id,
      mode: row.mode,
      stream: row.stream,
      tenantActive: this.tables.tenants.get(row.tenantId)?.paused === false,
      domainReady: true,
      configurationSet: `set-${row.stream}`,
      laneLeft: false,
      content: contentFor(row.recipients),
      suppressed: [],
    };
  }

  private batch(id: BatchRow['id']): BatchRow {
    const row = this.tables.batches.get(id);
    if (!row) throw new Error('no such batch');
    return row;
  }

  private change(id: MessageRow['id'], to: Parameters<Tables['setMessage']>[1]): void {
    const row = this.tables.messages.get(id);
    if (row?.state === 'READY') this.tables.setMessage(row, to);
  }
}

function isClaimable(row: MessageRow, ticket: Ticket, nowMs: number): boolean {
  return (
    row.state === 'READY' &&
    row.accountId === ticket.sendingAccountId &&
    row.expiresMs > nowMs &&
    (row.notBeforeMs === null || row.notBeforeMs <= nowMs)
  );
}
