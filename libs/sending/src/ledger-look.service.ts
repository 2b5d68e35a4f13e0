import { Timers, type SendingAccountId } from '@libs/kernel';
import { Ledger, type LedgerStats } from '@libs/quota';
import { Injectable } from '@nestjs/common';

/** How long somebody who looks on waits for ledgers, real milliseconds. */
const PATIENCE_MS = 1_000;
/** After a wait in vain nobody waits again for so long: who looks holds a connection to the database meanwhile. */
const REST_MS = 5_000;

/** Reads ledgers for answers to people. A Redis that hangs takes figures away from an answer, and keeps nobody waiting. */
@Injectable()
export class LedgerLook {
  private restsUntil = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly ledger: Ledger,
    private readonly timers: Timers,
  ) {}

  /** Of those accounts whose ledger is built and answers in time. */
  async statsOf(accounts: readonly SendingAccountId[]): Promise<ReadonlyMap<SendingAccountId, LedgerStats>> {
    const found = new Map<SendingAccountId, LedgerStats>();
    if (accounts.length === 0 || this.timers.monotonicMs() < this.restsUntil) return found;
    const all = Promise.all(
      accounts.map(async (id) => {
        const stats = await this.ledger.stats(id).catch(() => undefined);
        if (stats) found.set(id, stats);
      }),
    );
    const enough = new AbortController();
    const inTime = await Promise.race([
      all.then(() => true),
      this.timers.sleep(PATIENCE_MS, enough.signal).then(() => false),
    ]);
    enough.abort();
    if (!inTime) this.restsUntil = this.timers.monotonicMs() + REST_MS;
    return new Map(found);
  }
}
