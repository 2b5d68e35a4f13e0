import type { SendingAccountId } from '@libs/kernel';
import { EngineRedis } from '@libs/queueing';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Pump } from './pump.service';

/** Where the ledger tells that an account has got mail that nobody waited for: `<account>`, or `<account> urgent`. */
const OFFERED = 'pf:offered';

/**
 * Calls the pump when an idle account is offered mail, since a thousand of them need not be asked all the time, and when
 * any account is offered transactional mail, which does not wait for the next turn.
 */
@Injectable()
export class OfferListener implements OnModuleInit, OnApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(
    private readonly redis: EngineRedis,
    private readonly pump: Pump,
  ) {}

  onModuleInit(): void {
    this.stop = this.redis.listen(OFFERED, (message) => {
      const [account, urgent] = message.split(' ');
      this.pump.wake(account as SendingAccountId, urgent !== undefined);
    });
    this.pump.relyOnCalls();
  }

  onApplicationShutdown(): void {
    this.stop?.();
  }
}
