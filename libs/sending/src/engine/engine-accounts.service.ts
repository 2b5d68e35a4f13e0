import { SendingAccountService, type SendingAccount } from '@libs/fleet';
import { Timers, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

const FRESH_MS = 1_000;

/** The accounts the engine works on, at most a second old. An old epoch does no harm: its tickets cannot be claimed. */
@Injectable()
export class EngineAccounts {
  private known: readonly SendingAccount[] = [];
  /** Until when, engine milliseconds. */
  private apart: ReadonlyMap<SendingAccountId, number> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<readonly SendingAccount[]> | undefined;

  constructor(
    private readonly fleet: SendingAccountService,
    private readonly timers: Timers,
  ) {}

  /** Accounts of ACTIVE AWS accounts, whatever their own state. */
  async all(): Promise<readonly SendingAccount[]> {
    if (this.timers.monotonicMs() - this.readAt < FRESH_MS) return this.known;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  async find(id: SendingAccountId): Promise<SendingAccount | undefined> {
    return (await this.all()).find((account) => account.id === id);
  }

  /** Whether none of its mail may share a request, as it was last read: whoever works on accounts reads them every second. */
  isApart(id: SendingAccountId, nowMs: number): boolean {
    return this.apart.size > 0 && (this.apart.get(id) ?? 0) > nowMs;
  }

  private async read(): Promise<readonly SendingAccount[]> {
    this.known = await this.fleet.active();
    this.apart = new Map(this.known.flatMap(({ id, apartUntil }) => (apartUntil ? [[id, apartUntil.getTime()]] : [])));
    this.readAt = this.timers.monotonicMs();
    return this.known;
  }
}
