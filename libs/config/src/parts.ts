import { REAL_TIME, type ClockScale } from '@libs/kernel';
import { z } from 'zod';
import { parseRedisUrl } from './redis-url';

/** Pieces that the schemas of the processes share. */
export const environmentName = z.enum(['development', 'test', 'production']).default('development');

export const port = z.coerce.number({ error: 'expected a port number' }).int().min(0).max(65_535);

export function databaseUrl(role: string) {
  return z
    .string({ error: `expected postgres://${role}:<password>@<host>:5432/<database>` })
    .regex(/^postgres(ql)?:\/\/.+/, `expected postgres://${role}:<password>@<host>:5432/<database>`);
}

const REDIS_SHAPE =
  'expected redis://[:<password>@]<host>:6379, or redis://[:<password>@]<host>:<port>,<host>:<port>,... for a cluster';

export const redisUrl = z
  .string({ error: REDIS_SHAPE })
  .refine((text) => parseRedisUrl(text) !== undefined, REDIS_SHAPE);

export const httpUrl = z
  .string({ error: 'expected http(s)://<host>[:<port>]' })
  .regex(/^https?:\/\/.+/, 'expected http(s)://<host>[:<port>]');

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info');

/** The engine's clock (ENGINE.md, section 2). Anything but real time is for demonstrations and tests. */
export const clockVariables = {
  ENGINE_CLOCK_BASE_MS: z.coerce.number().int().default(REAL_TIME.baseMs),
  ENGINE_CLOCK_SPEED: z.coerce.number().positive().max(100_000).default(REAL_TIME.speed),
  ENGINE_CLOCK_OFFSET_MS: z.coerce.number().int().default(REAL_TIME.offsetMs),
};

export function clockScaleOf(config: {
  ENGINE_CLOCK_BASE_MS: number;
  ENGINE_CLOCK_SPEED: number;
  ENGINE_CLOCK_OFFSET_MS: number;
}): ClockScale {
  return {
    baseMs: config.ENGINE_CLOCK_BASE_MS,
    speed: config.ENGINE_CLOCK_SPEED,
    offsetMs: config.ENGINE_CLOCK_OFFSET_MS,
  };
}

/** True when engine time is real time: the only thing production accepts. */
export function isRealTime(config: { ENGINE_CLOCK_SPEED: number; ENGINE_CLOCK_OFFSET_MS: number }): boolean {
  return config.ENGINE_CLOCK_SPEED === 1 && config.ENGINE_CLOCK_OFFSET_MS === 0;
}
