import { UnitOfWork } from '@libs/database';
import { EngineClock, type ApiKeyId } from '@libs/kernel';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ApiKeyRepository } from './api-key.repository';

const FLUSH_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;

/** Notes when keys were last used, to the minute, apart from the requests that used them (SECURITY.md 6). */
@Injectable()
export class KeyUsageService implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger(KeyUsageService.name);
  /** Minute of the last note per key, written or not; forgotten when it is no longer the current one. */
  private readonly noted = new Map<ApiKeyId, number>();
  private waiting = new Map<ApiKeyId, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: ApiKeyRepository,
    private readonly clock: EngineClock,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  note(id: ApiKeyId): void {
    const minute = this.currentMinute();
    if (this.noted.get(id) === minute) return;
    this.noted.set(id, minute);
    this.waiting.set(id, minute);
  }

  /** Writes what was noted since. A failure keeps it for the next time and harms nobody. */
  async flush(): Promise<void> {
    const current = this.currentMinute();
    for (const [id, minute] of this.noted) if (minute !== current) this.noted.delete(id);
    if (this.waiting.size === 0) return;
    const batch = this.waiting;
    this.waiting = new Map();
    try {
      const minutes = [...batch.values()].map((minute) => new Date(minute * MINUTE_MS));
      await this.uow.forSystem(() => this.keys.touch([...batch.keys()], minutes));
    } catch (error) {
      for (const [id, minute] of batch) if (!this.waiting.has(id)) this.waiting.set(id, minute);
      this.log.warn(
        `last use of ${batch.size} keys not written yet: ${error instanceof Error ? error.message : 'failed'}`,
      );
    }
  }

  private currentMinute(): number {
    return Math.floor(this.clock.nowMs() / MINUTE_MS);
  }
}
