import { UnitOfWork } from '@libs/database';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { EngineSettings } from './engine.settings';
import { resolveDoubt } from './in-doubt.policy';
import { OutcomeRepository, type AttemptOutcome } from './outcome.repository';
import { ResolverRepository } from './resolver.repository';

const PAGE = 200;
/** Neighbours count within a minute before and after, less when the waiting time itself is short. */
const WINDOW_MS = 60_000;

/**
 * Settles what nobody knows. Their Send event settles most; the rest goes again once silence is evidence: at least once,
 * because a customer can live with a rare second copy and not with a lost message.
 */
@Injectable()
export class Resolver {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: ResolverRepository,
    private readonly outcomes: OutcomeRepository,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly log: Log,
  ) {}

  /** Answers how many doubts were settled. */
  resolve(): Promise<number> {
    return this.uow.forSystem(async () => {
      const now = new Date(this.ledger.nowMs());
      const { TRANSACTIONAL, MARKETING } = this.settings.inDoubtAfterMs;
      const windowMs = Math.min(WINDOW_MS, TRANSACTIONAL, MARKETING);
      const settled: AttemptOutcome[] = [];
      for (const doubt of await this.rows.doubts(now, windowMs / 1000, PAGE)) {
        const { tenantId, messageId, attemptId } = doubt;
        const resolution = resolveDoubt({
          confirmed: doubt.confirmed,
          ageMs: now.getTime() - doubt.at.getTime(),
          waitMs: this.settings.inDoubtAfterMs[doubt.stream],
          watermark: doubt,
        });
        if (resolution === 'not-sent' && !doubt.expired) {
          const end = {
            kind: 'unsent',
            code: 'NoSendEvent',
            message: 'Amazon SES never confirmed it, and confirmed all around it.',
          } as const;
          settled.push({ tenantId, messageId, attemptId, end, at: now });
        }
      }
      if (settled.length > 0) {
        await this.outcomes.apply(settled);
        this.log.info('messages in doubt go again: SES never took them', { count: settled.length });
      }
      return settled.length;
    });
  }
}
