import { checkWrites, UnitOfWork } from '@libs/database';
import { EngineRedis } from '@libs/queueing';
import { ClockWatch, NewerVersion } from '@libs/sending';
import { Injectable } from '@nestjs/common';

const PATIENCE_MS = 2_000;

/** Something this process needs and cannot use at the moment. */
export interface Missing {
  readonly name: 'database' | 'redis' | 'clock' | 'version';
  readonly why: string;
}

/**
 * Whether this process can do its work: both stores are reached and take what it writes, its clock is right, and no newer version
 * has taken its place.
 */
@Injectable()
export class Readiness {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly redis: EngineRedis,
    private readonly clocks: ClockWatch,
    private readonly newer: NewerVersion,
  ) {}

  async missing(): Promise<Missing[]> {
    const found = await Promise.all([
      problemOf(
        'database',
        this.uow.forSystem(() => checkWrites(this.uow)),
      ),
      problemOf('redis', this.checkRedis()),
    ]);
    return [...found.flat(), ...named('clock', this.clocks.problem), ...named('version', this.newer.problem)];
  }

  /** The ledger grants nothing from a server that throws keys away, and nothing without writing it down. */
  private async checkRedis(): Promise<void> {
    await this.redis.checkEviction();
    await this.redis.checkWrites();
  }
}

function named(name: Missing['name'], why: string | undefined): Missing[] {
  return why === undefined ? [] : [{ name, why }];
}

async function problemOf(name: Missing['name'], check: Promise<unknown>): Promise<Missing[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`no answer within ${String(PATIENCE_MS / 1_000)} s`);
    }, PATIENCE_MS);
  });
  const told = check.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const why = await Promise.race([told, late]);
  clearTimeout(timer);
  return named(name, why);
}
