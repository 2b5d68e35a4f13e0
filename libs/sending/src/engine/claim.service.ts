import { UnitOfWork } from '@libs/database';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { decideClaim, type Candidate } from './claim.policy';
import {
  ClaimRepository,
  type ClaimStatements,
  type IntendedAttempt,
  type IntendedMessage,
  type Key,
  type RefusedWhy,
} from './claim.repository';
import type { Ticket } from './dispatch.jobs';
import { EngineSettings } from './engine.settings';
import { Failpoints } from './failpoints';

export type Claim =
  /** The batch is this worker's; these attempts are committed and may be sent. */
  | { readonly kind: 'claimed'; readonly attempts: readonly IntendedAttempt[] }
  /** Another owns it, or its epoch is over, or the account may not send: nothing was written. */
  | { readonly kind: 'refused'; readonly why: RefusedWhy };

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
  async claim(ticket: Ticket): Promise<Claim> {
    try {
      return await this.uow.forEngine((unit) => this.inUnit(ticket, this.rows.within(unit)));
    } catch (error) {
      if (error instanceof Refused) return { kind: 'refused', why: error.why };
      throw error;
    }
  }

  private async inUnit(ticket: Ticket, rows: ClaimStatements): Promise<Claim> {
    const now = new Date(this.ledger.nowMs());
    const attempts = await rows.claim(ticket, this.settings.worker, now);
    if (attempts === undefined) throw new Refused(await rows.refusal(ticket));
    if (attempts.length < ticket.messages.length) {
      const claimed = new Set(attempts.map((attempt) => attempt.id));
      attempts.push(
        ...(await this.others(
          rows,
          ticket,
          ticket.messages.filter((message) => !claimed.has(message.id)),
          now,
        )),
      );
    }
    this.failpoints.reach('in-claim');
    return { kind: 'claimed', attempts };
  }

  /** Messages that are gone, or that something speaks against: some wait, some end, some go to fewer recipients. */
  private async others(
    rows: ClaimStatements,
    ticket: Ticket,
    left: readonly Key[],
    now: Date,
  ): Promise<IntendedAttempt[]> {
    const send: IntendedMessage[] = [];
    const suppress: Candidate[] = [];
    const relane: Candidate[] = [];
    const wait: (Key & { notBefore: Date; reason: string })[] = [];
    for (const candidate of await rows.candidates(ticket, left, now)) {
      const { tenantId, id } = candidate;
      const decision = decideClaim(candidate);
      if (decision.kind === 'send') {
        send.push({ ...candidate, recipients: decision.recipients, suppressed: decision.suppressed });
      } else if (decision.kind === 'suppress') suppress.push(candidate);
      else if (decision.kind === 'relane') relane.push(candidate);
      else wait.push({ tenantId, id, notBefore: new Date(now.getTime() + decision.waitMs), reason: decision.reason });
    }
    await rows.suppress(suppress, now);
    await rows.relane(relane);
    await rows.wait(wait);
    return rows.intend(ticket, send, now);
  }
}

/** Takes back whatever the claim's statement did before it met the fence. */
class Refused extends Error {
  constructor(readonly why: RefusedWhy) {
    super(`claim refused: ${why}`);
  }
}
