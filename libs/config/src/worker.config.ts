import { z } from 'zod';
import { invoicingVariables, MISSING_SELLER, missingSeller } from './invoicing';
import { clockVariables, databaseUrl, environmentName, httpUrl, isRealTime, logLevel, port, redisUrl } from './parts';

/** The worker's environment. AWS credentials of the hub principal come through the SDK's default chain. */
export const workerConfig = z
  .object({
    NODE_ENV: environmentName,
    WORKER_HOST: z.string().default('127.0.0.1'),
    /** Health and metrics; 0 switches the listener off. */
    WORKER_PORT: port.default(3001),
    WORKER_ID: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'expected letters, digits, "_", "." or "-"')
      .optional(),
    DATABASE_WORKER_URL: databaseUrl('pf_worker'),
    DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(12),
    REDIS_URL: redisUrl,
    /** Where Amazon SNS reaches the api's webhook. */
    PUBLIC_URL: httpUrl,
    /** All AWS calls go here instead of to AWS. */
    AWS_ENDPOINT_URL: httpUrl.optional(),
    /** The simulator that test-mode messages go to; without it, test mode is off. */
    AWS_TEST_ENDPOINT_URL: httpUrl.optional(),
    AWS_REGION: z.string().default('us-east-1'),
    /** Least pause between two control calls to SES in one account and region; AWS allows one a second. */
    AWS_CONTROL_INTERVAL_MS: z.coerce.number().int().min(0).max(60_000).default(1_000),
    RECORDER_DIR: z.string().default('.data/recorder'),
    IN_DOUBT_AFTER_TRANSACTIONAL_MS: z.coerce.number().int().min(500).default(90_000),
    IN_DOUBT_AFTER_BULK_MS: z.coerce.number().int().min(500).default(300_000),
    /** How long a transaction may hold back PostgreSQL's removal of dead rows before it is an alarm. */
    HELD_SNAPSHOT_ALARM_S: z.coerce.number().int().min(1).default(300),
    /** How long a sending account must be closed before its waiting mail may go through another one. */
    REROUTE_AFTER_MS: z.coerce.number().int().min(500).default(30_000),
    /** Whether marketing mail that starts together may share a SendBulkEmail (docs/decisions/004). */
    SHARED_REQUESTS: z.enum(['on', 'off']).default('on'),
    /** Where this process is to crash or to stand still, to rehearse it (docs/faults.md). Never in production. */
    FAILPOINT: z.string().optional(),
    LOG_LEVEL: logLevel,
    ...invoicingVariables,
    ...clockVariables,
  })
  .superRefine((config, context) => {
    if (missingSeller(config)) {
      context.addIssue({ code: 'custom', path: ['SELLER_ADDRESS'], message: MISSING_SELLER });
    }
    if (config.NODE_ENV === 'production' && config.FAILPOINT !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['FAILPOINT'],
        message: 'production rehearses no crash: remove it',
      });
    }
    if (config.NODE_ENV === 'production' && !isRealTime(config)) {
      context.addIssue({
        code: 'custom',
        path: ['ENGINE_CLOCK_SPEED'],
        message: 'production runs on real time only: remove the ENGINE_CLOCK_ variables',
      });
    }
  });

export type WorkerConfig = z.output<typeof workerConfig>;
