import type { SendingAccountId } from '@libs/kernel';
import { EngineRedis } from '@libs/queueing';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Pump } from './pump.service';

/**
 * Where the ledger tells that an account has got mail that nobody waited for: `<account>`; `<account> urgent` when it is
 * transactional, `<account> small` when a tenant has got little of it.
 */
const OFFERED = 'pf:offered';

/**
 * Calls the pump when an idle account is offered mail, since a thousand of them need not be asked all the time, and when
 * any account is offered transactional mail, or a little of a small sender's, which do not wait for the next turn.
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
      const [account, what] = message.split(' ');
      this.pump.wake(account as SendingAccountId, what === 'urgent' || what === 'small' ? what : 'bulk');
    });
    this.pump.relyOnCalls();
  }

  onApplicationShutdown(): void {
    this.stop?.();
  }
}
