import { checkWrites, databaseClock, UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Metrics } from '@libs/observability';
import { EngineRedis } from '@libs/queueing';
import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { hostClockProblem } from './host-clock.policy';

const PROBE_TIMEOUT_MS = 2_000;

/** For load balancers and scrapers: no key, no detail that helps a stranger. */
@Controller()
export class HealthController {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly redis: EngineRedis,
    private readonly clock: EngineClock,
    private readonly metrics: Metrics,
  ) {}

  /** The process answers. */
  @Get('health/live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The process can serve: database and Redis answer within 2 s, the database takes writes, and this host's clock is right. */
  @Get('health/ready')
  async ready(@Res() response: Response): Promise<void> {
    const [database, redis, safe] = await Promise.all([
      answers(
        this.uow.forEdge(async () => {
          await checkWrites(this.uow);
          return [await databaseClock(this.uow)];
        }),
      ),
      // It tells its time also while it loads its data, and answers nothing else.
      answers(this.redis.ping().then(() => this.redis.clocks())),
      answers(this.redis.checkEviction().then(() => true)),
    ]);
    const clock = hostClockProblem(this.clock.hostMs(), [...(database ?? []), ...(redis ?? [])]);
    const ready = database && redis && clock === undefined;
    response.status(ready ? 200 : 503).json({
      status: ready ? 'ok' : 'unavailable',
      database: database ? 'ok' : 'unavailable',
      // Mail is accepted all the same: what is lost there is found in PostgreSQL again. The worker sends nothing meanwhile.
      redis: redis ? (safe ? 'ok' : 'evicts keys: maxmemory-policy must be noeviction') : 'unavailable',
      ...(clock === undefined ? {} : { clock }),
    });
  }

  @Get('metrics')
  async scrape(@Res() response: Response): Promise<void> {
    const { contentType, text } = await this.metrics.render();
    response.setHeader('content-type', contentType);
    response.send(text);
  }
}

/** Undefined when it fails, or takes too long. */
async function answers<Answer>(probe: Promise<Answer>): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, PROBE_TIMEOUT_MS);
  });
  const answered = probe.catch(() => undefined);
  const result = await Promise.race([answered, late]);
  clearTimeout(timer);
  return result;
}
