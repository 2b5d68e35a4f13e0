import { UnitOfWork } from '@libs/database';
import { EngineRedis } from '@libs/queueing';
import { Injectable } from '@nestjs/common';

const PATIENCE_MS = 2_000;

/** What this process needs and cannot reach at the moment. */
@Injectable()
export class Readiness {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly redis: EngineRedis,
  ) {}

  async missing(): Promise<string[]> {
    const checks: Record<string, Promise<unknown>> = {
      database: this.uow.forSystem(() => this.uow.query('SELECT 1')),
      // Reached, and not one that throws keys away: the ledger grants nothing from such a server.
      redis: this.redis.checkEviction(),
    };
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => ((await answers(check)) ? [] : [name])),
    );
    return results.flat();
  }
}

async function answers(check: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([
      check.then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
