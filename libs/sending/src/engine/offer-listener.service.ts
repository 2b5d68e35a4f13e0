import type { SendingAccountId } from '@libs/kernel';
import { EngineRedis } from '@libs/queueing';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Pump } from './pump.service';

/** Where the ledger tells that an account nobody waited for has got mail. */
const OFFERED = 'pf:offered';

/** Calls the pump when an idle account is offered mail: a thousand of them need not be asked all the time. */
@Injectable()
export class OfferListener implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(
    private readonly redis: EngineRedis,
    private readonly pump: Pump,
  ) {}

  onModuleInit(): void {
    this.stop = this.redis.listen(OFFERED, (account) => {
      this.pump.wake(account as SendingAccountId);
    });
    this.pump.relyOnCalls();
  }

  onApplicationShutdown(): void {
    this.stop?.();
  }
}
