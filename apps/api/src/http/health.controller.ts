import { checkWrites, UnitOfWork } from '@libs/database';
import { Metrics } from '@libs/observability';
import { EngineRedis } from '@libs/queueing';
import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';

const PROBE_TIMEOUT_MS = 2_000;

/** For load balancers and scrapers: no key, no detail that helps a stranger. */
@Controller()
export class HealthController {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly redis: EngineRedis,
    private readonly metrics: Metrics,
  ) {}

  /** The process answers. */
  @Get('health/live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process can serve: database and Redis answer within 2 s, and the database takes writes. */
  @Get('health/ready')
  async ready(@Res() response: Response): Promise<void> {
    const [database, redis, safe] = await Promise.all([
      answers(this.uow.forEdge(() => checkWrites(this.uow))),
      answers(this.redis.ping()),
      answers(this.redis.checkEviction()),
    ]);
    const ready = database && redis;
    response.status(ready ? 200 : 503).json({
      status: ready ? 'ok' : 'unavailable',
      database: database ? 'ok' : 'unavailable',
      // Mail is accepted all the same: what is lost there is found in PostgreSQL again. The worker sends nothing meanwhile.
      redis: redis ? (safe ? 'ok' : 'evicts keys: maxmemory-policy must be noeviction') : 'unavailable',
    });
  }

  @Get('metrics')
  async scrape(@Res() response: Response): Promise<void> {
    const { contentType, text } = await this.metrics.render();
    response.setHeader('content-type', contentType);
    response.send(text);
  }
}

async function answers(probe: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, PROBE_TIMEOUT_MS);
  });
  const answered = probe.then(
    () => true,
    () => false,
  );
  const result = await Promise.race([answered, late]);
  clearTimeout(timer);
  return result;
}
