import { z } from 'zod';
import { clockVariables, port } from './parts';

const delays = z
  .string()
  .regex(/^\d+(,\d+)*$/, 'expected milliseconds separated by commas, such as 200,2000,10000')
  .transform((text) => text.split(',').map(Number));

/** The simulator's environment. Latency and delays are real milliseconds. */
export const simulatorConfig = z.object({
  SIMULATOR_HOST: z.string().default('127.0.0.1'),
  /** All AWS services answer here; for `--endpoint-url` and AWS_ENDPOINT_URL. */
  SIMULATOR_PORT: port.default(4566),
  SIMULATOR_ADMIN_PORT: port.default(4567),
  /** State, arrival log and ca.pem; without it nothing outlives the process. */
  SIMULATOR_DATA_DIR: z.string().optional(),
  SIMULATOR_SEED: z.coerce.number().int().default(1),
  SIMULATOR_LATENCY_MS: z.coerce.number().min(0).default(15),
  SIMULATOR_LATENCY_P99_MS: z.coerce.number().min(0).default(80),
  SIMULATOR_EVENT_DELAY_MS: z.coerce.number().min(0).default(250),
  SIMULATOR_VERIFY_DELAY_MS: z.coerce.number().min(0).default(500),
  SIMULATOR_SNS_RETRY_DELAYS_MS: delays.default([200, 2000, 10_000]),
  ...clockVariables,
});
