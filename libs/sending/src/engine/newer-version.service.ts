import { Timers, type SendingAccountId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';

/**
 * A ledger whose time has stood still for so long is nobody's any more, real milliseconds: whoever works with it moves that at
 * each question of a pump, and once a minute when it hears what AWS allows.
 */
const LEFT_MS = 180_000;

/**
 * Ledgers that a newer version of Postfleet has built, while versions change. This process can read none of that, and to build
 * them again would stop that version, which would build them once more: it stands still there until it is replaced. After a way back
 * to this version they are left behind, and taken over.
 */
@Injectable()
export class NewerVersion {
  private readonly ledgers = new Map<SendingAccountId, { readonly time: string; readonly since: number }>();

  constructor(
    private readonly ledger: Ledger,
    private readonly timers: Timers,
    private readonly log: Log,
  ) {}

  /** What is wrong, and what to do about it; undefined while no ledger is a newer version's. */
  get problem(): string | undefined {
    if (this.ledgers.size === 0) return undefined;
    return `a newer version of Postfleet has built the ledgers of sending accounts (${String(this.ledgers.size)}): let it replace this process, or stop it, and this one goes on there after ${String(LEFT_MS / 60_000)} minutes`;
  }

  /** Whether that account's ledger is to be left to a newer version. */
  async has(id: SendingAccountId): Promise<boolean> {
    const time = await this.ledger.newerVersion(id);
    if (time === undefined) {
      this.forget(id);
      return false;
    }
    const known = this.ledgers.get(id);
    const now = this.timers.monotonicMs();
    if (known?.time !== time) {
      this.note(id, time, now);
      return true;
    }
    if (now - known.since < LEFT_MS) return true;
    this.log.warn('a newer version has left a ledger: it is built again', { sendingAccount: id });
    await this.ledger.forget(id);
    this.forget(id);
    return false;
  }

  /** It is a ledger of this version, or of no account any more. */
  forget(id: SendingAccountId): void {
    if (this.ledgers.delete(id) && this.ledgers.size === 0) {
      this.log.info('no ledger is that of a newer version any more: this process goes on', {});
    }
  }

  private note(id: SendingAccountId, time: string, since: number): void {
    const isFirst = this.ledgers.size === 0;
    this.ledgers.set(id, { time, since });
    if (isFirst)
      this.log.error('this process sends nothing where a newer version has built the ledger', { why: this.problem });
  }
}
