import { UnitOfWork } from '@libs/database';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { decideClaim, type Candidate } from './claim.policy';
import { ClaimRepository, type IntendedAttempt, type IntendedMessage } from './claim.repository';
import type { Ticket } from './dispatch.jobs';
import { EngineSettings } from './engine.settings';
import { Failpoints } from './failpoints';

export type Claim =
  /** The batch is this worker's; these attempts are committed and may be sent. */
  | { readonly kind: 'claimed'; readonly attempts: readonly IntendedAttempt[] }
  /** Another owns it, or its epoch is over, or the account may not send: nothing was written. */
  | { readonly kind: 'refused'; readonly why: 'taken' | 'epoch' | 'account' };

/** Turns a ticket into the committed right to send. */
@Injectable()
export class ClaimService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: ClaimRepository,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly failpoints: Failpoints,
  ) {}

  /** Rejects when the database failed: the claim may or may not be committed, and nothing may be sent. */
  claim(ticket: Ticket): Promise<Claim> {
    return this.uow.forSystem(async () => {
      const now = new Date(this.ledger.nowMs());
      const account = await this.rows.lockAccount(ticket.sendingAccountId);
      if (account?.epoch !== ticket.epoch) return { kind: 'refused', why: 'epoch' };
      if (!account.usable) return { kind: 'refused', why: 'account' };
      if (!(await this.rows.openBatch(ticket, this.settings.worker, now))) return { kind: 'refused', why: 'taken' };
      const send: IntendedMessage[] = [];
      const suppress: Candidate[] = [];
      const wait: { tenantId: Candidate['tenantId']; id: Candidate['id']; notBefore: Date; reason: string }[] = [];
      for (const candidate of await this.rows.candidates(ticket, now)) {
        const decision = decideClaim(candidate);
        if (decision.kind === 'send') {
          send.push({ ...candidate, recipients: decision.recipients, suppressed: decision.suppressed });
        } else if (decision.kind === 'suppress') suppress.push(candidate);
        else {
          const { tenantId, id } = candidate;
          wait.push({ tenantId, id, notBefore: new Date(now.getTime() + decision.waitMs), reason: decision.reason });
        }
      }
      await this.rows.suppress(suppress, now);
      await this.rows.wait(wait);
      const attempts = await this.rows.intend(ticket, send, now);
      this.failpoints.reach('in-claim');
      return { kind: 'claimed', attempts };
    });
  }
}
